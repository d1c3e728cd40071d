//! Eureka's side of the registry: what its clients declare, and what they are shown.
//!
//! An application of a view ([`EurekaBase`]) is a service whose name equals it but for case. An instance that registers
//! over Eureka is a publication like any other, with a *facet*: what the client declared, word for word. Each protocol
//! is shown the facet that speaks it, and one derived from the other where there is none.

mod base;
mod born;
mod derived;
mod facet;
mod index;
mod metadata;
mod op;
mod owner;
mod parts;
mod register;
mod renew;
mod shown;
mod status;
mod weights;

pub use base::{EurekaBase, EurekaRules};
pub use index::{EurekaChanges, EurekaEvent, EurekaGone};
pub use op::{EurekaCancel, EurekaMetadata, EurekaRegister, EurekaRenew, EurekaStatusChange};
pub use owner::EurekaOwner;
pub use parts::EurekaParts;
pub use shown::{EurekaApp, EurekaShown};

pub(crate) use derived::weight_of;
pub(crate) use facet::{Facet, Facets, status_of, takes_calls};
pub(crate) use index::{AppRef, EurekaIndex};
