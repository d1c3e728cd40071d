//! Pages of lists: which part of a list a request wants.

use crate::http::call::Call;
use muster_model::ErrorCode;
use muster_nacos_wire::http::{Refusal, ResultCode};
use std::ops::Range;

/// The most services one page has; a larger size counts as this. A list of all is legitimate (clients ask for
/// 2,147,483,647), an answer without an end is not.
pub(crate) const SERVICES_MAX: usize = 10_000;

/// A page as it is asked for: its number and size, both Java ints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Paging {
    pub(crate) number: i32,
    pub(crate) size: i32,
}

impl Paging {
    /// `pageNo` and `pageSize` as v3 binds them: 1 and a default if they are absent, and whole numbers.
    pub(crate) fn bound(call: &Call, size: i32) -> Result<Self, Refusal> {
        let number = |name: &'static str, default: i32| match call.parameters.first(&[name]) {
            None => Ok(default),
            Some(text) => text.parse().map_err(|_| Refusal::BadValue { name, value: text.to_owned() }),
        };
        Ok(Self { number: number("pageNo", 1)?, size: number("pageSize", size)? })
    }

    /// As [`Paging::bound`], both above 0.
    pub(crate) fn positive(call: &Call, size: i32) -> Result<Self, Refusal> {
        let paging = Self::bound(call, size)?;
        for (name, value) in [("pageNo", paging.number), ("pageSize", paging.size)] {
            if value <= 0 {
                return Err(Refusal::Failed {
                    error: ErrorCode::InvalidParameter,
                    code: ResultCode::ParameterValidate,
                    detail: format!(
                        "Required parameter '{name}' should be positive integer, current is {value}"
                    ),
                });
            }
        }
        Ok(paging)
    }

    /// The size as a number of items; none if it is below 0.
    pub(crate) fn size(self) -> usize {
        usize::try_from(self.size).unwrap_or(0)
    }

    /// How many items come before the page; the first page is also every one before it.
    pub(crate) fn offset(self) -> usize {
        usize::try_from(self.number.saturating_sub(1)).unwrap_or(0).saturating_mul(self.size())
    }

    /// With a size of [`SERVICES_MAX`] at most.
    pub(crate) fn of_services(self) -> Self {
        Self { size: self.size.min(SERVICES_MAX as i32), ..self }
    }
}

/// The part of a list of so many that is a page.
pub(crate) fn cut(count: usize, paging: Paging) -> Range<usize> {
    let start = paging.offset().min(count);
    start..start.saturating_add(paging.size()).min(count)
}

/// The part of a list of so many instances that is a page of the catalogue: page 0 and below hold all that fit on one
/// page, and else nothing, as recorded (v1-ns-catalog-service-instances, v2-ns-health-ops-catalog).
pub(crate) fn catalog_page(count: usize, paging: Paging) -> Range<usize> {
    if paging.number <= 0 && count >= paging.size() { 0..0 } else { cut(count, paging) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_never_leave_the_list() {
        for (number, size, expected) in [
            (1, 2, 0..2),
            (2, 2, 2..4),
            (3, 2, 4..5),
            (9, 2, 5..5),
            (0, 2, 0..2),
            (-7, 2, 0..2),
            (1, 0, 0..0),
            (1, -1, 0..0),
            (1, i32::MAX, 0..5),
            (i32::MAX, i32::MAX, 5..5),
            (i32::MIN, i32::MIN, 0..0),
        ] {
            assert_eq!(cut(5, Paging { number, size }), expected, "{number} {size}");
        }
    }
}
