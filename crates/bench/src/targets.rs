//! What each row must reach, as the table says.

use crate::{figures::Figures, rows::Row};

/// One figure held against its target.
#[derive(Clone, Debug)]
pub(crate) struct Verdict {
    /// The name of the value.
    pub(crate) name: &'static str,
    /// What was measured, with its unit.
    pub(crate) measured: String,
    /// What is wanted.
    pub(crate) target: String,
    /// Whether it is.
    pub(crate) met: bool,
}

/// Judges a row; nothing when it has no target, or when what it is compared with was not measured.
pub(crate) fn judge(row: Row, muster: &Figures, floor: Option<&Figures>) -> Vec<Verdict> {
    match row {
        Row::Register => to_floor(muster, floor, 1.3),
        Row::Query10 | Row::Query100 | Row::ConfigQuery => to_floor(muster, floor, 1.2),
        Row::Publish => at_most(muster, &[("cpu", 90.0)]),
        Row::PushQuiet => at_most(muster, &[("p99", 5.0)]),
        Row::PushBusy => at_most(muster, &[("p99", 15.0)]),
        Row::ConfigPush => at_most(muster, &[("p99", 2.5)]),
        Row::PublishSequential => at_most(muster, &[("to fsync", 3.0), ("to fdatasync", 3.0)]),
        Row::Idle => at_most(muster, &[("rss", 14.0), ("a connection", 32.0)]),
        Row::Memory => at_most(muster, &[("before", 400.0), ("after", 900.0)]),
        Row::Storm => at_most(muster, &[("registered in", 30.0), ("ratio", 1.5), ("watched ratio", 1.5)]),
        Row::HttpQuery => to_floor(muster, floor, 1.3),
        Row::HttpConfig | Row::HttpBeat => Vec::new(),
        Row::EurekaHeartbeat => both(at_most(muster, &[("cpu", 12.0)]), to_floor(muster, floor, 1.3)),
        Row::EurekaFull => both(at_most(muster, &[("cpu", 15.0)]), to_floor(muster, floor, 1.3)),
        Row::EurekaRepack => at_most(muster, &[("cpu", 1500.0), ("body", 58.5)]),
        Row::EurekaDelta => at_most(muster, &[("cpu", 60.0)]),
        Row::EurekaVisible => at_most(muster, &[("p99", 5.0)]),
        Row::EurekaToNacos | Row::ClusterPush => at_most(muster, &[("p99", 10.0)]),
        Row::LongPoll => at_most(muster, &[("a poll", 24.0), ("p99", 10.0)]),
        Row::ClusterPublish => at_most(muster, &[("cpu", 250.0)]),
        Row::ClusterSequential => at_most(muster, &[("above 3 × fdatasync", 1.0)]),
        Row::ClusterRegister => at_most(muster, &[("above 1.25 × alone", 30.0)]),
        Row::ClusterIdle => at_most(muster, &[("cpu a node", 1.0), ("more than alone", 20.0)]),
        Row::ClusterBeats => at_most(muster, &[("unhealthy", 0.0), ("moves", 0.0), ("changes", 0.0)]),
        Row::ClusterMirror => at_most(muster, &[("cpu of who joins", 0.4), ("cpu of who serves", 0.4)]),
        Row::ConfigSearch => at_most(muster, &[("p99", 50.0)]),
    }
}

fn both(mut some: Vec<Verdict>, more: Vec<Verdict>) -> Vec<Verdict> {
    some.extend(more);
    some
}

fn to_floor(muster: &Figures, floor: Option<&Figures>, times: f64) -> Vec<Verdict> {
    let pair = muster.get("cpu").zip(floor.and_then(|floor| floor.get("cpu")));
    let judged = pair.map(|(cpu, floor)| Verdict {
        name: "cpu",
        measured: format!("cpu {cpu:.1} µs = {:.2} × floor", cpu / floor),
        target: format!("≤ {times} × floor ({floor:.1} µs)"),
        met: cpu <= floor * times,
    });
    judged.into_iter().collect()
}

fn at_most(muster: &Figures, limits: &[(&str, f64)]) -> Vec<Verdict> {
    let named = |name: &str| muster.values.iter().find(|value| value.name == name);
    let found = limits.iter().filter_map(|(name, limit)| named(name).map(|value| (value, *limit)));
    found
        .map(|(value, limit)| {
            let mut wanted = value.clone();
            wanted.amount = limit;
            Verdict {
                name: value.name,
                measured: format!("{} {value}", value.name),
                target: format!("≤ {wanted}"),
                met: value.amount <= limit,
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::Unit;

    fn cpu(server: &'static str, micros: f64) -> Figures {
        let mut figures = Figures::new("register", server);
        figures.put("cpu", micros, Unit::Micros);
        figures
    }

    #[test]
    fn a_ratio_needs_the_floor() {
        let (floor, muster) = (cpu("floor", 10.0), cpu("muster", 12.5));
        assert!(judge(Row::Register, &muster, None).is_empty());
        assert!(judge(Row::Register, &muster, Some(&floor))[0].met);
        assert!(!judge(Row::Query10, &muster, Some(&floor))[0].met);
    }

    #[test]
    fn a_limit_counts_itself_as_met() {
        assert!(judge(Row::Publish, &cpu("muster", 90.0), None)[0].met);
        assert!(!judge(Row::Publish, &cpu("muster", 90.1), None)[0].met);
    }
}
