//! Maps that are read without a lock.

use muster_model::HashState;
use papaya::HashMap;
use seize::Collector;

/// A map for values that may be large: what is removed or replaced is freed as soon as nobody reads it. The
/// default keeps removed values until 32 of a thread have gathered, which would hold lists and contents far
/// beyond their limits.
pub(crate) fn read_map<K, V>() -> HashMap<K, V, HashState> {
    HashMap::builder().hasher(HashState::default()).collector(Collector::new().batch_size(1)).build()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    #[test]
    fn what_is_replaced_or_removed_is_freed() {
        let map = super::read_map::<u32, Arc<str>>();
        let values: Vec<Arc<str>> = (0..20).map(|number| Arc::from(number.to_string())).collect();
        for value in &values {
            map.pin().insert(1, value.clone());
        }
        map.pin().remove(&1);
        let held = values.iter().filter(|value| Arc::strong_count(value) > 1).count();
        assert!(held <= 1, "{held} of 20 values are still held");
    }
}
