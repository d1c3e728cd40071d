//! What the registry shows, as the wire takes it.

use crate::wire::Shown;
use muster_node::registry::EurekaShown;

/// An instance of a view, borrowed for writing.
pub(crate) fn shown(instance: &EurekaShown) -> Shown<'_> {
    Shown {
        instance: &instance.instance,
        status: instance.status,
        overridden: instance.overridden,
        action: instance.action,
        times: instance.times,
        last_dirty: instance.last_dirty,
    }
}
