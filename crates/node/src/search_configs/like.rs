//! Patterns of SQL's LIKE.

use memchr::memmem::Finder;
use std::borrow::Cow;

/// What a text is to be like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Like(Kind);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    Any,
    Exactly(String),
    /// What is between the places of any text; at least two.
    Parts(Vec<Part>),
}

/// A text without `%`; `_` in it is any character.
#[derive(Clone, Debug)]
struct Part {
    text: String,
    has_blank: bool,
    /// Looks for the text where it may be anywhere.
    finder: Finder<'static>,
}

impl PartialEq for Part {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Part {}

impl Part {
    /// Whether a text begins so, and what follows.
    fn begins<'a>(&self, text: &'a str) -> Option<&'a str> {
        if !self.has_blank {
            return text.strip_prefix(&self.text);
        }
        let mut rest = text.chars();
        for wanted in self.text.chars() {
            let found = rest.next()?;
            if wanted != '_' && wanted != found {
                return None;
            }
        }
        Some(rest.as_str())
    }

    /// What follows the first place where a text goes on so.
    fn after<'a>(&self, text: &'a str) -> Option<&'a str> {
        if !self.has_blank {
            return self.finder.find(text.as_bytes()).map(|at| &text[at + self.text.len()..]);
        }
        let starts = text.char_indices().map(|(at, _)| at).chain([text.len()]);
        starts.into_iter().find_map(|at| self.begins(&text[at..]))
    }

    fn ends(&self, text: &str) -> bool {
        if !self.has_blank {
            return text.ends_with(&self.text);
        }
        let mut rest = text.chars().rev();
        self.text
            .chars()
            .rev()
            .all(|wanted| rest.next().is_some_and(|found| wanted == '_' || wanted == found))
    }
}

impl Like {
    /// Any text.
    pub fn any() -> Self {
        Self(Kind::Any)
    }

    /// This text; any if it is empty.
    pub fn exactly(text: &str) -> Self {
        if text.is_empty() { Self::any() } else { Self(Kind::Exactly(text.to_owned())) }
    }

    /// The pattern that Nacos's search makes of a text: `*` and `%` are any text, `_` any character, because it escapes
    /// nothing (`generateLikeArgument`); any if it is empty.
    pub fn pattern(text: &str) -> Self {
        let text: Cow<'_, str> =
            if text.contains('*') { text.replace('*', "%").into() } else { Cow::Borrowed(text) };
        if text.chars().all(|letter| letter == '%') {
            return Self::any();
        }
        if !text.contains(['%', '_']) {
            return Self(Kind::Exactly(text.into_owned()));
        }
        let parts = text.split('%').map(|part| Part {
            text: part.to_owned(),
            has_blank: part.contains('_'),
            finder: Finder::new(part).into_owned(),
        });
        Self(Kind::Parts(parts.collect()))
    }

    /// Whether it is any text.
    pub fn is_any(&self) -> bool {
        self.0 == Kind::Any
    }

    /// Whether a text is like this, to the letter.
    pub fn matches(&self, text: &str) -> bool {
        let parts = match &self.0 {
            Kind::Any => return true,
            Kind::Exactly(wanted) => return wanted == text,
            Kind::Parts(parts) => parts,
        };
        let Some((first, more)) = parts.split_first() else { return true };
        let Some(mut rest) = first.begins(text) else { return false };
        let Some((last, between)) = more.split_last() else { return rest.is_empty() };
        for part in between {
            match part.after(rest) {
                Some(after) => rest = after,
                None => return false,
            }
        }
        last.ends(rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn stars_stand_for_any_text_and_underscores_for_any_character() {
        for (pattern, text) in [
            ("", "a"),
            ("a", "a"),
            ("*", ""),
            ("a*", "abc"),
            ("*c", "abc"),
            ("*b*", "abc"),
            ("a*b*c", "aXbYc"),
            ("lib_c", "libxc"),
            ("lib_c", "lib_c"),
            ("%文_*", "中文字x"),
            ("_*_", "ab"),
        ] {
            assert!(Like::pattern(pattern).matches(text), "{pattern} {text}");
        }
        for (pattern, text) in [
            ("a", "ab"),
            ("b*", "abc"),
            ("*b", "abc"),
            ("a*a", "a"),
            ("a*b*c", "acb"),
            ("A", "a"),
            ("lib_c", "libc"),
            ("_*_", "a"),
        ] {
            assert!(!Like::pattern(pattern).matches(text), "{pattern} {text}");
        }
        assert!(!Like::exactly("*").matches("a"));
        assert!(Like::pattern("**").is_any());
    }

    /// LIKE as its definition says, letter by letter.
    fn naive(pattern: &[char], text: &[char]) -> bool {
        match pattern.split_first() {
            None => text.is_empty(),
            Some(('%', rest)) => (0..=text.len()).any(|at| naive(rest, &text[at..])),
            Some((letter, rest)) => text
                .split_first()
                .is_some_and(|(first, text)| (*letter == '_' || letter == first) && naive(rest, text)),
        }
    }

    proptest! {
        #[test]
        fn agrees_with_the_definition(pattern in "[ab_*é]{1,7}", text in "[abé]{0,8}") {
            let letters: Vec<char> = pattern.replace('*', "%").chars().collect();
            let expected = naive(&letters, &text.chars().collect::<Vec<_>>());
            prop_assert_eq!(Like::pattern(&pattern).matches(&text), expected);
        }
    }
}
