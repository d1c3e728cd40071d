//! The frame of what goes out: roots, lists and applications around instances.

use super::{Shown, escape, json_write, xml_write};

/// A wire format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// `application/json`.
    Json,
    /// `application/xml`.
    Xml,
}

impl Format {
    /// The content type of a body.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Xml => "application/xml",
        }
    }
}

/// How much of an instance is shown (`X-Eureka-Accept`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Amount {
    /// Everything.
    Full,
    /// Without lease, labels, pages and the like.
    Compact,
}

/// The form of a body: one of four.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Form {
    /// The format.
    pub format: Format,
    /// How much.
    pub amount: Amount,
}

/// What a list says of itself.
#[derive(Clone, Copy, Debug)]
pub struct Listed<'a> {
    /// `versions__delta`: `1` of a full list, `-1` of a selection, of a delta what names its content.
    pub version: &'a str,
    /// `apps__hashcode`: `STATUS_count_` for each status that occurs, by name.
    pub hash: &'a str,
    /// Whether it lists nothing.
    pub empty: bool,
}

/// What stands around the instances of a list. A list is [`head`](Frame::head), applications with
/// [`separator`](Frame::separator) between them, [`tail`](Frame::tail); an application is
/// [`app_head`](Frame::app_head), instances with the separator between them, [`app_tail`](Frame::app_tail).
#[derive(Clone, Copy, Debug)]
pub struct Frame(pub Form);

impl Frame {
    /// What a list begins with.
    pub fn head(self, out: &mut Vec<u8>, list: &Listed<'_>) {
        match (self.0.format, self.0.amount) {
            (Format::Json, Amount::Full) => {
                out.extend_from_slice(b"{\"applications\":{");
                json_versions(out, list);
                out.extend_from_slice(b",\"application\":[");
            }
            (Format::Json, Amount::Compact) => out.extend_from_slice(b"{\"applications\":{\"application\":["),
            (Format::Xml, Amount::Full | Amount::Compact) => {
                out.extend_from_slice(b"<applications><versions__delta>");
                escape::xml(out, list.version);
                out.extend_from_slice(b"</versions__delta><apps__hashcode>");
                escape::xml(out, list.hash);
                out.extend_from_slice(b"</apps__hashcode>");
            }
        }
    }

    /// What a list ends with.
    pub fn tail(self, out: &mut Vec<u8>, list: &Listed<'_>) {
        let empty: &[u8] = if list.empty { b"true" } else { b"false" };
        match (self.0.format, self.0.amount) {
            (Format::Json, Amount::Full) => out.extend_from_slice(b"]}}"),
            (Format::Json, Amount::Compact) => {
                out.extend_from_slice(b"],\"registeredApplicationsEmpty\":");
                out.extend_from_slice(empty);
                out.push(b',');
                json_versions(out, list);
                out.extend_from_slice(b"}}");
            }
            (Format::Xml, Amount::Full) => out.extend_from_slice(b"</applications>"),
            (Format::Xml, Amount::Compact) => {
                out.extend_from_slice(b"<registeredApplicationsEmpty>");
                out.extend_from_slice(empty);
                out.extend_from_slice(b"</registeredApplicationsEmpty></applications>");
            }
        }
    }

    /// What an application in a list begins with.
    pub fn app_head(self, out: &mut Vec<u8>, name: &str) {
        match self.0.format {
            Format::Json => {
                out.extend_from_slice(b"{\"name\":");
                escape::json(out, name);
                out.extend_from_slice(b",\"instance\":[");
            }
            Format::Xml => {
                out.extend_from_slice(b"<application><name>");
                escape::xml(out, name);
                out.extend_from_slice(b"</name>");
            }
        }
    }

    /// What an application in a list ends with.
    pub fn app_tail(self, out: &mut Vec<u8>) {
        out.extend_from_slice(match self.0.format {
            Format::Json => b"]}",
            Format::Xml => b"</application>",
        });
    }

    /// What stands between two applications, and between two instances.
    pub fn separator(self) -> &'static [u8] {
        match self.0.format {
            Format::Json => b",",
            Format::Xml => b"",
        }
    }
}

fn json_versions(out: &mut Vec<u8>, list: &Listed<'_>) {
    out.extend_from_slice(b"\"versions__delta\":");
    escape::json(out, list.version);
    out.extend_from_slice(b",\"apps__hashcode\":");
    escape::json(out, list.hash);
}

/// An instance as it stands in an application: an object without a root, or the element.
pub fn write_fragment(out: &mut Vec<u8>, form: Form, shown: &Shown<'_>) {
    match (form.format, form.amount) {
        (Format::Json, Amount::Full) => json_write::full(out, shown),
        (Format::Json, Amount::Compact) => json_write::compact(out, shown),
        (Format::Xml, Amount::Full) => xml_write::full(out, shown),
        (Format::Xml, Amount::Compact) => xml_write::compact(out, shown),
    }
}

/// One instance as a body: `{"instance": {…}}`, or `<instance>…</instance>`.
pub fn write_instance(format: Format, shown: &Shown<'_>) -> Vec<u8> {
    let mut out = Vec::with_capacity(1_200);
    let form = Form { format, amount: Amount::Full };
    match format {
        Format::Json => {
            out.extend_from_slice(b"{\"instance\":");
            write_fragment(&mut out, form, shown);
            out.push(b'}');
        }
        Format::Xml => write_fragment(&mut out, form, shown),
    }
    out
}

/// One application as a body: `{"application": {…}}`, or `<application>…</application>`; `fragments` are its instances.
pub fn write_application<'a>(
    form: Form,
    name: &str,
    fragments: impl IntoIterator<Item = &'a [u8]>,
) -> Vec<u8> {
    let frame = Frame(form);
    let mut out = Vec::with_capacity(1_200);
    if form.format == Format::Json {
        out.extend_from_slice(b"{\"application\":");
    }
    frame.app_head(&mut out, name);
    for (at, fragment) in fragments.into_iter().enumerate() {
        if at > 0 {
            out.extend_from_slice(frame.separator());
        }
        out.extend_from_slice(fragment);
    }
    frame.app_tail(&mut out);
    if form.format == Format::Json {
        out.push(b'}');
    }
    out
}
