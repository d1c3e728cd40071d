//! Users, roles and permissions of a server without access control: there are none, and none can be made.

use super::{call::Call, trouble::Trouble};
use muster_nacos_wire::http::{Refusal, page};

/// Why users, roles and permissions can't be changed.
pub(crate) const NO_ACCESS_CONTROL: &str =
    "this version has no access control: there are no users, roles or permissions";

/// A page that has nothing on it.
pub(crate) fn empty_page(call: &Call) -> Result<Vec<u8>, Trouble> {
    let number = |name: &'static str| -> Result<usize, Refusal> {
        let text = call.parameters.first(&[name]).ok_or(Refusal::Missing { name, of_type: "int" })?;
        text.parse().map_err(|_| Refusal::BadValue { name, value: text.to_owned() })
    };
    let mut body = Vec::with_capacity(96);
    page::<()>(&mut body, 0, number("pageNo")?, number("pageSize")?, &[]);
    Ok(body)
}
