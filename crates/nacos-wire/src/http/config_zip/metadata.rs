//! Metadata of the second format: YAML, `metadata:` and a list of maps.

use super::{ExportItem, ImportError};
use saphyr_parser::{Event, Parser, ScalarStyle};
use std::collections::HashMap;

/// How deep lists and maps may lie in each other; ours need three.
const DEPTH_MAX: usize = 16;

/// Adds the map of a config, keys in alphabetical order, without those that have no value, as SnakeYAML writes it.
pub(super) fn add(out: &mut String, item: &ExportItem<'_>) {
    let tags = Some(item.tags.join(",")).filter(|tags| !tags.is_empty());
    let fields = [
        ("appName", Some(item.app_name)),
        ("configTags", tags.as_deref()),
        ("dataId", Some(item.data_id)),
        ("desc", item.description),
        ("group", Some(item.group)),
        ("type", item.kind),
    ];
    let mut start = "- ";
    for (key, value) in fields {
        if let Some(value) = value {
            out.extend([start, key, ": "]);
            scalar(out, value);
            out.push('\n');
            start = "  ";
        }
    }
}

/// Writes a text so that it is read as that text by YAML 1.1: plain where nothing about it is special.
fn scalar(out: &mut String, text: &str) {
    if is_plain(text) {
        out.push_str(text);
    } else if text.chars().any(|letter| {
        letter.is_control() || matches!(letter, '\u{85}' | '\u{2028}' | '\u{2029}' | '\u{feff}')
    }) {
        // JSON's escapes are YAML's, and nothing else is printed that needs one.
        out.push('"');
        for letter in text.chars() {
            match letter {
                '"' | '\\' => out.extend(['\\', letter]),
                '\n' => out.push_str("\\n"),
                '\r' => out.push_str("\\r"),
                '\t' => out.push_str("\\t"),
                _ if letter.is_control()
                    || matches!(letter, '\u{85}' | '\u{2028}' | '\u{2029}' | '\u{feff}') =>
                {
                    out.push_str(&format!("\\u{:04x}", u32::from(letter)));
                }
                _ => out.push(letter),
            }
        }
        out.push('"');
    } else {
        out.extend(["'", &text.replace('\'', "''"), "'"]);
    }
}

/// Whether a text means itself without quotes: it begins with a letter, has nothing special in it, and is no word that
/// YAML 1.1 takes for something else.
fn is_plain(text: &str) -> bool {
    const WORDS: [&str; 10] = ["true", "false", "yes", "no", "on", "off", "null", "y", "n", "~"];
    let is_plain_letter = |letter: char| {
        letter.is_alphanumeric() || matches!(letter, '_' | '-' | '.' | '/' | '(' | ')' | '+' | ' ' | ';')
    };
    text.starts_with(|letter: char| letter.is_alphabetic() || letter == '_')
        && !text.ends_with(' ')
        && text.chars().all(is_plain_letter)
        && !WORDS.iter().any(|word| text.eq_ignore_ascii_case(word))
        // `.inf` and dates begin with neither; hexadecimal and base 60 begin with a digit.
        && !text.contains(" -")
}

/// What the metadata says of one config.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Described {
    pub(super) data_id: String,
    pub(super) group: String,
    pub(super) kind: Option<String>,
    pub(super) app_name: Option<String>,
    pub(super) description: Option<String>,
    pub(super) tags: Option<String>,
}

enum Node {
    Scalar(Option<String>),
    List(Vec<Node>),
    Map(HashMap<String, Node>),
}

/// Reads the list; every config must have a data id, a group and, unless that is optional, a type. Unknown keys are ignored, anchors and aliases
/// refused: a few lines of them are any amount of memory.
pub(super) fn parse(text: &str, types_optional: bool) -> Result<Vec<Described>, ImportError> {
    let mut events = Parser::new_from_str(text);
    let root = loop {
        let event = next(&mut events)?;
        if !matches!(event, Event::StreamStart | Event::DocumentStart(_)) {
            break node(event, &mut events, 0)?;
        }
    };
    let Node::Map(mut root) = root else { return Err(ImportError::Metadata) };
    let Some(Node::List(items)) = root.remove("metadata") else { return Err(ImportError::Metadata) };
    if items.is_empty() {
        return Err(ImportError::Metadata);
    }
    items.into_iter().map(|item| described(item, types_optional)).collect()
}

fn described(node: Node, types_optional: bool) -> Result<Described, ImportError> {
    let Node::Map(mut fields) = node else { return Err(ImportError::Metadata) };
    let mut text = |key: &str| match fields.remove(key) {
        Some(Node::Scalar(value)) => Ok(value),
        None => Ok(None),
        Some(Node::List(_) | Node::Map(_)) => Err(ImportError::Metadata),
    };
    let required =
        |value: Option<String>| value.filter(|text| !text.trim().is_empty()).ok_or(ImportError::Metadata);
    Ok(Described {
        data_id: required(text("dataId")?)?,
        group: required(text("group")?)?,
        kind: match text("type")?.filter(|kind| !kind.trim().is_empty()) {
            None if !types_optional => return Err(ImportError::Metadata),
            kind => kind,
        },
        app_name: text("appName")?,
        description: text("desc")?,
        tags: text("configTags")?,
    })
}

type Events<'a> = Parser<'a, saphyr_parser::StrInput<'a>>;

fn next<'a>(events: &mut Events<'a>) -> Result<Event<'a>, ImportError> {
    match events.next() {
        Some(Ok((event, _))) => Ok(event),
        Some(Err(_)) | None => Err(ImportError::Metadata),
    }
}

fn node<'a>(event: Event<'a>, events: &mut Events<'a>, depth: usize) -> Result<Node, ImportError> {
    if depth > DEPTH_MAX {
        return Err(ImportError::Metadata);
    }
    match event {
        Event::Scalar(text, style, 0, _) => {
            let is_null =
                style == ScalarStyle::Plain && matches!(&*text, "" | "~" | "null" | "Null" | "NULL");
            Ok(Node::Scalar((!is_null).then(|| text.into_owned())))
        }
        Event::SequenceStart(0, _) => {
            let mut items = Vec::new();
            loop {
                let event = next(events)?;
                if event == Event::SequenceEnd {
                    return Ok(Node::List(items));
                }
                items.push(node(event, events, depth + 1)?);
            }
        }
        Event::MappingStart(0, _) => {
            let mut fields = HashMap::new();
            loop {
                let event = next(events)?;
                if event == Event::MappingEnd {
                    return Ok(Node::Map(fields));
                }
                let Node::Scalar(key) = node(event, events, depth + 1)? else {
                    return Err(ImportError::Metadata);
                };
                let event = next(events)?;
                let value = node(event, events, depth + 1)?;
                fields.insert(key.unwrap_or_default(), value);
            }
        }
        Event::Nothing
        | Event::StreamStart
        | Event::StreamEnd
        | Event::DocumentStart(_)
        | Event::DocumentEnd
        | Event::Alias(_)
        | Event::Scalar(..)
        | Event::SequenceStart(..)
        | Event::SequenceEnd
        | Event::MappingStart(..)
        | Event::MappingEnd => Err(ImportError::Metadata),
    }
}
