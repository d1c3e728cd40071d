//! The text parts of `multipart/form-data` (RFC 7578), no more than parameters need.

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
    let delimiter = format!("\r\n--{boundary}");
    // The first delimiter has no line end before it.
    let body = [b"\r\n", body].concat();
    let mut parts = Vec::new();
    let mut rest = find(&body, delimiter.as_bytes()).map_or(&[][..], |at| &body[at + delimiter.len()..]);
    while parts.len() < count_max
        && let Some(end) = find(rest, delimiter.as_bytes())
    {
        parts.extend(part(&rest[..end]));
        rest = &rest[end + delimiter.len()..];
    }
    parts
}

fn part(part: &[u8]) -> Option<(String, String)> {
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
    if attribute("filename").is_some() {
        return None;
    }
    Some((attribute("name")?, String::from_utf8_lossy(&part[split + 4..]).into_owned()))
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|window| window == wanted)
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
        assert_eq!(boundary("multipart/form-data; charset=x; Boundary=\"q r\"").as_deref(), Some("q r"));
        assert_eq!(boundary("multipart/form-data"), None);
        assert_eq!(boundary(&format!("multipart/form-data; boundary={}", "x".repeat(71))), None);
    }

    proptest! {
        #[test]
        fn no_bytes_upset_it(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            text_parts("b", &bytes, 9);
        }
    }
}
