//! A small XML document as a tree.
//!
//! The only place that knows the XML library. There is no DTD and no entity but the five every document has: a body
//! that brings either is refused (Netflix/eureka#1367, #1385), as is one of more elements than an instance can have. Namespaces, comments and instructions are passed over.

use quick_xml::{
    Reader, XmlVersion,
    events::{BytesRef, BytesStart, Event},
};

/// How deep elements may lie in each other; an instance is four deep.
const DEPTH_MAX: usize = 16;
/// Elements of a document; one instance with thousands of labels has fewer.
const ELEMENTS_MAX: usize = 16_384;
/// Attributes of an element; those of an instance have one.
const ATTRIBUTES_MAX: usize = 32;

/// An element: its local name, its attributes by local name, its own text, its children.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Element {
    pub(super) name: String,
    pub(super) attributes: Vec<(String, String)>,
    pub(super) text: String,
    pub(super) children: Vec<Element>,
}

impl Element {
    /// The value of an attribute.
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The first child of a name.
    pub(super) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    fn open(tag: &BytesStart<'_>) -> Option<Self> {
        let mut attributes = Vec::new();
        // Unchecked: the check for twins is quadratic.
        for attribute in tag.attributes().with_checks(false) {
            let attribute = attribute.ok().filter(|_| attributes.len() < ATTRIBUTES_MAX)?;
            let name: &str = attribute.key.local_name().into_inner();
            let value = attribute.normalized_value(XmlVersion::Implicit1_0).ok()?;
            attributes.push((name.to_owned(), value.into_owned()));
        }
        let name: &str = tag.local_name().into_inner();
        Some(Self { name: name.to_owned(), attributes, ..Self::default() })
    }
}

/// The root of a document; `None` if it is not well-formed, or brings a DTD or an entity of its own.
pub(super) fn read(document: &str) -> Option<Element> {
    let mut reader = Reader::from_str(document.trim_start_matches('\u{FEFF}'));
    let mut open: Vec<Element> = Vec::new();
    let (mut root, mut count) = (None, 0);
    loop {
        let closed = match reader.read_event().ok()? {
            Event::Start(tag) => {
                count += 1;
                if root.is_some() || open.len() == DEPTH_MAX || count > ELEMENTS_MAX {
                    return None;
                }
                open.push(Element::open(&tag)?);
                continue;
            }
            Event::Empty(tag) => {
                count += 1;
                Element::open(&tag).filter(|_| count <= ELEMENTS_MAX)?
            }
            Event::End(_) => open.pop()?,
            Event::Text(text) => {
                let text = text.xml_content(XmlVersion::Implicit1_0);
                add(&mut open, &text)?;
                continue;
            }
            Event::CData(text) => {
                let text = text.xml_content(XmlVersion::Implicit1_0);
                add(&mut open, &text)?;
                continue;
            }
            Event::GeneralRef(reference) => {
                add(&mut open, character(&reference)?.encode_utf8(&mut [0; 4]))?;
                continue;
            }
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => continue,
            Event::DocType(_) => return None,
            Event::Eof => return if open.is_empty() { root } else { None },
        };
        match open.last_mut() {
            Some(parent) => parent.children.push(closed),
            None if root.is_none() => root = Some(closed),
            None => return None,
        }
    }
}

/// Adds text to the innermost open element; outside of the root only white space is allowed.
fn add(open: &mut [Element], text: &str) -> Option<()> {
    match open.last_mut() {
        Some(element) => element.text.push_str(text),
        None if text.trim().is_empty() => {}
        None => return None,
    }
    Some(())
}

fn character(reference: &BytesRef<'_>) -> Option<char> {
    match &**reference {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "apos" => Some('\''),
        "quot" => Some('"'),
        _ => reference.resolve_char_ref().ok()?,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_and_cdata_are_text() {
        let root = read("<?xml version=\"1.0\"?><a b='&lt;1'>x &amp; &#x41;<![CDATA[<y>]]></a>").unwrap();
        assert_eq!(root.text, "x & A<y>");
        assert_eq!(root.attribute("b"), Some("<1"));
    }

    #[test]
    fn documents_that_could_do_harm_are_refused() {
        for document in [
            "<!DOCTYPE a [<!ENTITY e 'x'>]><a>&e;</a>",
            "<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>",
            "<a>&e;</a>",
            "<a b='&e;'/>",
            "<a",
            "<a></b>",
            "<a/><b/>",
            "",
            "x",
        ] {
            assert_eq!(read(document), None, "{document}");
        }
        let deep = "<a>".repeat(20) + &"</a>".repeat(20);
        assert_eq!(read(&deep), None);
        for (count, fits) in [(16_000, true), (17_000, false)] {
            assert_eq!(read(&format!("<a>{}</a>", "<b/>".repeat(count))).is_some(), fits, "{count} elements");
        }
        for (count, fits) in [(32, true), (33, false)] {
            assert_eq!(
                read(&format!("<a {}/>", "b='' ".repeat(count))).is_some(),
                fits,
                "{count} attributes"
            );
        }
    }
}
