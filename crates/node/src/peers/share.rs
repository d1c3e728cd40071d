//! Who has more clients than its share, and who should have them.

use super::AskedNode;
use muster_model::NodeId;

/// How far from the mean a node may be before clients are moved by themselves; the original's `loaderFactor`.
pub(super) const FACTOR: f64 = 0.1;

/// A node that should have fewer clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Surplus {
    pub(super) node: NodeId,
    /// How many it should keep.
    pub(super) keep: u64,
    /// Who should have the others.
    pub(super) target: NodeId,
}

/// The nodes with more clients than `factor` above the mean, the busiest first, each with one that has fewer than that
/// below it, the idlest first (as the original pairs them, `ServerLoaderController.smartReload`). Nodes that do not
/// answer, or answer no clients, count for nothing. One client more or less than the mean is no difference.
pub(super) fn surplus(nodes: &[AskedNode], factor: f64) -> Vec<Surplus> {
    let counts = nodes.iter().filter_map(|asked| {
        let figures = asked.figures.as_ref().filter(|figures| figures.is_ready)?;
        Some((asked.node, figures.load.clients))
    });
    let mut counts: Vec<(NodeId, u64)> = counts.collect();
    counts.sort_by_key(|(node, clients)| (*clients, *node));
    let total: u64 = counts.iter().map(|(_, clients)| clients).sum();
    let mean = total as f64 / counts.len().max(1) as f64;
    let margin = (mean * factor).max(1.0);
    let busiest = counts.iter().rev().take_while(|(_, clients)| *clients as f64 > mean + margin);
    let idlest = counts.iter().take_while(|(_, clients)| (*clients as f64) < mean - margin);
    busiest
        .zip(idlest.cycle())
        .map(|((node, _), (target, _))| Surplus { node: *node, keep: mean.ceil() as u64, target: *target })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ClientLoad, NodeFigures};

    fn nodes(counts: &[i64]) -> Vec<AskedNode> {
        let node = |(at, count): (usize, &i64)| AskedNode {
            node: NodeId(at as u64 + 1),
            // Below 0: it does not answer.
            figures: u64::try_from(*count).ok().map(|clients| NodeFigures {
                is_ready: true,
                load: ClientLoad { clients, ..ClientLoad::default() },
                ..NodeFigures::default()
            }),
        };
        counts.iter().enumerate().map(node).collect()
    }

    fn moves(counts: &[i64]) -> Vec<(u64, u64, u64)> {
        let moves = surplus(&nodes(counts), FACTOR);
        moves.into_iter().map(|one| (one.node.0, one.keep, one.target.0)).collect()
    }

    #[test]
    fn equals_keep_what_they_have() {
        for counts in [&[][..], &[7], &[0, 0, 0], &[1, 0, 0], &[2, 1, 0], &[100, 105, 95]] {
            assert_eq!(moves(counts), [], "{counts:?}");
        }
    }

    #[test]
    fn a_node_that_came_back_gets_its_share() {
        assert_eq!(moves(&[150, 150, 0]), [(2, 100, 3), (1, 100, 3)]);
        assert_eq!(moves(&[30, 0, 0]), [(1, 10, 2)]);
        assert_eq!(moves(&[90, 10, 20]), [(1, 40, 2)]);
    }

    #[test]
    fn who_does_not_answer_counts_for_nothing() {
        assert_eq!(moves(&[30, -1, 10]), [(1, 20, 3)]);
        assert_eq!(moves(&[30, -1, -1]), []);
        let mut starting = nodes(&[30, 0]);
        starting[1].figures.as_mut().unwrap().is_ready = false;
        assert_eq!(surplus(&starting, FACTOR), []);
    }

    #[test]
    fn moving_ends() {
        let mut counts = [1_000, 3, 500, 0, 77];
        for _ in 0..20 {
            for (node, keep, target) in moves(&counts) {
                let moved = (counts[node as usize - 1] - keep as i64).max(0);
                counts[node as usize - 1] -= moved;
                counts[target as usize - 1] += moved;
            }
        }
        assert_eq!(moves(&counts), [], "{counts:?}");
    }
}
