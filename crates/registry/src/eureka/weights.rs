//! Weights as Eureka clients read them: a label that all instances of an application have, or none.

use muster_model::{Metadata, Weight};

/// The label that Spring Cloud LoadBalancer reads: a whole number from 1.
const LABEL: &str = "weight";
/// What weight 1 is before the labels are made as small as their ratios allow.
const UNIT: f64 = 100.0;

/// One instance, for the labels of all.
pub(crate) struct Weighed {
    pub(crate) weight: Weight,
    /// An instance that takes no calls has no say in the others' labels.
    pub(crate) takes_calls: bool,
}

/// What to divide by to get the labels, if there are to be any.
pub(crate) struct Labels(Option<u64>);

impl Labels {
    /// The labels of the instances of one application: needed as soon as one of them weighs other than 1.
    pub(crate) fn of(instances: impl Iterator<Item = Weighed>) -> Self {
        let (mut is_needed, mut divisor) = (false, 0);
        for Weighed { weight, takes_calls } in instances {
            is_needed |= weight != Weight::default() && weight.get() > 0.0;
            if takes_calls {
                divisor = greatest_common_divisor(divisor, scaled(weight));
            }
        }
        Self(is_needed.then_some(divisor.max(1)))
    }

    /// No labels.
    pub(crate) fn none() -> Self {
        Self(None)
    }

    pub(crate) fn is_needed(&self) -> bool {
        self.0.is_some()
    }

    /// Labels an instance. The client's own label stays.
    pub(crate) fn put(&self, metadata: &mut Metadata, weight: Weight) {
        let Some(divisor) = self.0 else { return };
        if metadata.get(LABEL).is_none() {
            let label = (scaled(weight) / divisor).max(1).to_string();
            *metadata = metadata.overlaid(&Metadata::new([(LABEL, &label)]));
        }
    }
}

fn scaled(weight: Weight) -> u64 {
    ((weight.get() * UNIT).round() as u64).max(1)
}

fn greatest_common_divisor(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(weights: &[f64]) -> Vec<Option<String>> {
        let weights = || weights.iter().map(|weight| Weight::new(*weight).unwrap());
        let labels = Labels::of(weights().map(|weight| Weighed { weight, takes_calls: weight.get() > 0.0 }));
        let label = |weight| {
            let mut metadata = Metadata::default();
            labels.put(&mut metadata, weight);
            metadata.get(LABEL).map(ToOwned::to_owned)
        };
        weights().map(label).collect()
    }

    #[test]
    fn all_have_one_or_none_has() {
        let some = |labels: &[&str]| labels.iter().map(|label| Some((*label).to_owned())).collect::<Vec<_>>();
        assert_eq!(labels(&[1.0, 1.0]), [None, None]);
        assert_eq!(labels(&[1.0, 0.0]), [None, None], "what takes no calls needs no labels of others");
        assert_eq!(labels(&[1.0, 2.0]), some(&["1", "2"]));
        assert_eq!(labels(&[1.0, 0.5, 0.25]), some(&["4", "2", "1"]));
        assert_eq!(labels(&[3.0, 3.0]), some(&["1", "1"]));
        assert_eq!(labels(&[2.0, 0.0, 6.0]), some(&["1", "1", "3"]));
        assert_eq!(labels(&[0.001, 10_000.0]), some(&["1", "1000000"]));
    }

    #[test]
    fn the_client_s_own_label_stays() {
        let labels = Labels::of(
            [2.0, 1.0]
                .iter()
                .map(|weight| Weighed { weight: Weight::new(*weight).unwrap(), takes_calls: true }),
        );
        let mut metadata = Metadata::new([(LABEL, "7")]);
        labels.put(&mut metadata, Weight::default());
        assert_eq!(metadata.get(LABEL), Some("7"));
    }
}
