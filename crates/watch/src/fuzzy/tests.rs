//! Behaviour of fuzzy watches.
