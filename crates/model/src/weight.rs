//! The share of calls an instance gets.

/// A finite number from 0 to 10,000. An instance of weight 0 is delivered, but clients never choose it.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Weight(f64);

impl Weight {
    /// The largest weight.
    pub const MAX: f64 = 10_000.0;

    /// The weight, if the number is one: `None` for NaN, infinities and what is out of range.
    pub fn new(value: f64) -> Option<Self> {
        (0.0..=Self::MAX).contains(&value).then_some(Self(value + 0.0))
    }

    /// The nearest weight; NaN gives the default. For the gRPC edge, which in Nacos checks nothing.
    pub fn clamped(value: f64) -> Self {
        if value.is_nan() { Self::default() } else { Self(value.clamp(0.0, Self::MAX) + 0.0) }
    }

    /// The number.
    pub fn get(self) -> f64 {
        self.0
    }
}

impl Default for Weight {
    fn default() -> Self {
        Self(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_finite_numbers_in_range_are_weights() {
        for bad in [-0.1, 10_000.1, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(Weight::new(bad), None, "{bad}");
        }
        assert_eq!(Weight::new(0.0).unwrap().get(), 0.0);
        assert_eq!(Weight::clamped(-1.0).get(), 0.0);
        assert_eq!(Weight::clamped(f64::INFINITY).get(), Weight::MAX);
        assert_eq!(Weight::clamped(f64::NAN).get(), 1.0);
        assert!(Weight::clamped(-0.0).get().is_sign_positive());
    }
}
