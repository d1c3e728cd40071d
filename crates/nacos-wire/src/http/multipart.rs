//! The parts of `multipart/form-data` (RFC 7578): texts, and one file.

use std::ops::Range;

/// The most characters of a boundary (RFC 2046, section 5.1.1). A long one could make the search for it slow.
const BOUNDARY_CHARS_MAX: usize = 70;

/// The boundary that a content type declares.
pub(super) fn boundary(content_type: &str) -> Option<String> {
    content_type.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.trim().split_once('=')?;
        let value = value.trim_matches('"');
        let is_boundary = name.eq_ignore_ascii_case("boundary");
        (is_boundary && !value.is_empty() && value.len() <= BOUNDARY_CHARS_MAX).then(|| value.to_owned())
    })
}

/// Names and contents of the parts that are no files, so many at most; a malformed rest is left out.
pub(super) fn text_parts(boundary: &str, body: &[u8], count_max: usize) -> Vec<(String, String)> {
    let texts = Parts::of(boundary, body).take(count_max).filter_map(|part| {
        let Part { name, is_file, content } = part_of(&body[part])?;
        (!is_file).then(|| (name, String::from_utf8_lossy(content).into_owned()))
    });
    texts.collect()
}

/// Where in the body the content of a file part is; the content type says where parts end.
pub fn file_part(content_type: &str, body: &[u8], name: &str) -> Option<Range<usize>> {
    let boundary = boundary(content_type)?;
    Parts::of(&boundary, body).take(FILE_PARTS_MAX).find_map(|range| {
        let part = part_of(&body[range.clone()]).filter(|part| part.is_file && part.name == name)?;
        Some(range.end - part.content.len()..range.end)
    })
}

/// How many parts are looked at for a file.
const FILE_PARTS_MAX: usize = 1_000;

/// The places of the parts, between two delimiters each.
struct Parts<'a> {
    delimiter: String,
    body: &'a [u8],
    at: Option<usize>,
}

impl<'a> Parts<'a> {
    fn of(boundary: &str, body: &'a [u8]) -> Self {
        let delimiter = format!("\r\n--{boundary}");
        // The first delimiter has no line end before it.
        let at = if body.starts_with(&delimiter.as_bytes()[2..]) {
            Some(delimiter.len() - 2)
        } else {
            find(body, delimiter.as_bytes()).map(|at| at + delimiter.len())
        };
        Self { delimiter, body, at }
    }
}

impl Iterator for Parts<'_> {
    type Item = Range<usize>;

    fn next(&mut self) -> Option<Range<usize>> {
        let start = self.at?;
        let length = find(&self.body[start..], self.delimiter.as_bytes());
        self.at = length.map(|length| start + length + self.delimiter.len());
        length.map(|length| start..start + length)
    }
}

struct Part<'a> {
    name: String,
    is_file: bool,
    content: &'a [u8],
}

fn part_of(part: &[u8]) -> Option<Part<'_>> {
    let split = find(part, b"\r\n\r\n")?;
    let headers = String::from_utf8_lossy(&part[..split]);
    let disposition = headers.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.trim().eq_ignore_ascii_case("content-disposition").then_some(value)
    })?;
    let attribute = |wanted: &str| {
        disposition.split(';').find_map(|attribute| {
            let (name, value) = attribute.trim().split_once('=')?;
            name.eq_ignore_ascii_case(wanted).then(|| value.trim_matches('"').to_owned())
        })
    };
    let is_file = attribute("filename").is_some();
    Some(Part { name: attribute("name")?, is_file, content: &part[split + 4..] })
}

/// Where a text is; its first byte is looked for alone, which is fast in bodies of megabytes.
fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    let first = *wanted.first()?;
    let mut start = 0;
    while let Some(next) = text[start..].iter().position(|byte| *byte == first) {
        if text[start + next..].starts_with(wanted) {
            return Some(start + next);
        }
        start += next + 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn files_and_broken_parts_are_left_out() {
        let body = concat!(
            "--b\r\nContent-Disposition: form-data; name=\"a\"\r\nContent-Type: text/plain\r\n\r\n1\r\n2\r\n",
            "--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"x\"\r\n\r\nfile\r\n",
            "--b\r\nnothing\r\n--b--"
        );
        assert_eq!(text_parts("b", body.as_bytes(), 9), [("a".to_owned(), "1\r\n2".to_owned())]);
        let content_type = "multipart/form-data; boundary=b";
        let file = |name| file_part(content_type, body.as_bytes(), name).map(|range| &body[range]);
        assert_eq!((file("f"), file("a"), file("g")), (Some("file"), None, None));
        assert_eq!(boundary("multipart/form-data; charset=x; Boundary=\"q r\"").as_deref(), Some("q r"));
        assert_eq!(boundary("multipart/form-data"), None);
        assert_eq!(boundary(&format!("multipart/form-data; boundary={}", "x".repeat(71))), None);
    }

    proptest! {
        #[test]
        fn no_bytes_upset_it(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            text_parts("b", &bytes, 9);
            file_part("multipart/form-data; boundary=b", &bytes, "f");
        }
    }
}
