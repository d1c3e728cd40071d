//! What the last examination of the cluster on this node came to: on the leader every half an hour, elsewhere when asked.

use muster_node::{CHECKS, Node};
use prometheus_client::{
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::{family::Family, gauge::Gauge},
};
use std::fmt;

type Label = [(&'static str, &'static str); 1];

/// Findings by check, and how many seconds ago it was; `None`: there was none since the start.
#[derive(Debug)]
pub(super) struct Examined {
    by_check: Vec<(&'static str, usize)>,
    seconds_ago: u64,
}

impl Examined {
    pub(super) fn of(node: &Node) -> Option<Self> {
        let (ago_ms, examination) = node.last_examination()?;
        let count = |check: &str| examination.findings.iter().filter(|found| found.check == check).count();
        let by_check = CHECKS.into_iter().map(|check| (check, count(check))).collect();
        Some(Self { by_check, seconds_ago: ago_ms / 1_000 })
    }

    pub(super) fn encode(&self, encoder: &mut DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let family = Family::<Label, Gauge>::default();
        for (check, count) in &self.by_check {
            family.get_or_create(&[("check", *check)]).set(*count as i64);
        }
        let about = "things that the last examination of all nodes found wrong";
        let kind = family.metric_type();
        family.encode(encoder.encode_descriptor("muster_doctor_findings", about, None, kind)?)?;
        let gauge = prometheus_client::metrics::gauge::ConstGauge::new(self.seconds_ago as i64);
        let about = "how long ago that was";
        let kind = gauge.metric_type();
        gauge.encode(encoder.encode_descriptor("muster_doctor_examined_seconds_ago", about, None, kind)?)
    }
}
