//! Which of a service's instances a consumer is shown, by its labels.

use std::sync::Arc;

/// How a service chooses among its instances for the one who asks (nacos naming `selector`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Selector {
    /// Everyone is shown all.
    #[default]
    None,
    /// A consumer is shown the instances that share its labels.
    Label(LabelSelector),
}

/// Labels that consumer and instance must have alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelSelector {
    expression: Arc<str>,
    labels: Box<[Arc<str>]>,
}

/// The expression is not `CONSUMER.label.A=PROVIDER.label.A`, several of them joined by `&`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("parse expression failed!")]
pub struct SelectorError;

impl Selector {
    /// The labels that must be alike; none where everyone is shown all.
    pub fn labels(&self) -> &[Arc<str>] {
        match self {
            Self::None => &[],
            Self::Label(label) => &label.labels,
        }
    }
}

impl LabelSelector {
    /// Reads `CONSUMER.label.A=PROVIDER.label.A & CONSUMER.label.B=PROVIDER.label.B`; white space does not count, and a
    /// blank expression has no labels. A term must name the same label on both sides.
    pub fn parse(expression: &str) -> Result<Self, SelectorError> {
        let text: String = expression.chars().filter(|letter| !letter.is_whitespace()).collect();
        let mut labels: Vec<Arc<str>> = Vec::new();
        for term in text.split('&').filter(|_| !text.is_empty()) {
            let label = label_of(term).ok_or(SelectorError)?;
            if !labels.iter().any(|known| **known == *label) {
                labels.push(label.into());
            }
        }
        Ok(Self { expression: expression.into(), labels: labels.into_boxed_slice() })
    }

    /// The expression as it was given.
    pub fn expression(&self) -> &str {
        &self.expression
    }

    /// The labels, each once, in their order.
    pub fn labels(&self) -> &[Arc<str>] {
        &self.labels
    }
}

fn label_of(term: &str) -> Option<&str> {
    let (consumer, provider) = term.split_once('=')?;
    let consumer = consumer.strip_prefix("CONSUMER.label.")?;
    let provider = provider.strip_prefix("PROVIDER.label.")?;
    (!consumer.is_empty() && consumer == provider).then_some(consumer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_name_labels() {
        let labels = |text| LabelSelector::parse(text).map(|selector| selector.labels().join(","));
        assert_eq!(labels("CONSUMER.label.A=PROVIDER.label.A").as_deref(), Ok("A"));
        assert_eq!(
            labels(" CONSUMER.label.A = PROVIDER.label.A & CONSUMER.label.b-c=PROVIDER.label.b-c").as_deref(),
            Ok("A,b-c")
        );
        assert_eq!(
            labels("CONSUMER.label.A=PROVIDER.label.A&CONSUMER.label.A=PROVIDER.label.A").as_deref(),
            Ok("A")
        );
        assert_eq!(labels(" ").as_deref(), Ok(""));
        for bad in [
            "x",
            "CONSUMER.label.A",
            "CONSUMER.label.A=PROVIDER.label.B",
            "CONSUMER.label.=PROVIDER.label.",
            "PROVIDER.label.A=CONSUMER.label.A",
            "CONSUMER.label.A=PROVIDER.label.A&",
        ] {
            assert_eq!(labels(bad), Err(SelectorError), "{bad}");
        }
    }
}
