//! Eureka's bodies, to and from the model. Read as leniently as any published client needs, written exactly as the
//! strictest of them expects: a member too many anywhere below `applications` fails a Spring client's whole fetch.
//!
//! Pure: bytes in, bytes out. Start with [`Body::read`] for what comes in and `write` for what goes out.

mod applications;
mod batch;
mod draft;
mod escape;
mod json_read;
mod json_write;
mod names;
mod shown;
mod tree;
mod write;
mod xml_read;
mod xml_write;

#[cfg(test)]
mod tests;

pub use applications::read_applications;
pub use batch::{
    BatchAction, BatchError, BatchItem, BatchReply, read_batch, read_batch_replies, write_batch,
    write_batch_replies,
};
pub use draft::{Declared, Refusal};
pub use shown::Shown;
pub use write::{Amount, Form, Format, Frame, Listed, write_application, write_fragment, write_instance};

use draft::Draft;

/// The text for a body that is none (`cannot parse request body` of the recordings).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot parse request body")]
pub struct Unreadable;

/// A body that reads as an instance; what it lacks is found out by [`Body::declare`].
#[derive(Debug)]
pub struct Body(Draft);

impl Body {
    /// Reads the body of a registration: `{"instance": {…}}`, or `<instance>…</instance>`.
    pub fn read(format: Format, bytes: &[u8]) -> Result<Self, Unreadable> {
        let draft = match format {
            Format::Json => json_read::instance_body(bytes),
            Format::Xml => xml_read::instance_body(std::str::from_utf8(bytes).map_err(|_| Unreadable)?),
        };
        draft.map(Self).ok_or(Unreadable)
    }

    /// Checks what was read, in Eureka's order, and makes it an instance of an application. `app` is the one of the
    /// path, `now` the last change of a client that tells none (milliseconds since 1970).
    pub fn declare(self, app: &str, now: i64) -> Result<Declared, Refusal> {
        self.0.declare(app, now)
    }
}
