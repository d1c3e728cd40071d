//! Limits on texts.

use crate::FieldError;

/// Refuses a text of more characters than allowed.
pub(crate) fn check_length(field: &'static str, text: &str, max: usize) -> Result<(), FieldError> {
    // The number of bytes is an upper bound that needs no counting.
    if text.len() > max && text.chars().count() > max {
        return Err(FieldError::TooLong { field, max });
    }
    Ok(())
}

/// Whether a text has only letters, digits and `_-.:`, as Nacos wants it of tags.
pub(crate) fn is_word(text: &str) -> bool {
    text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ':'))
}
