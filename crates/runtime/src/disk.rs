//! Files, as far as a log needs them.
