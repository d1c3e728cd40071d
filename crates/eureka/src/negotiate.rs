//! Which form an answer takes.

use crate::wire::{Amount, Form, Format};
use http::{HeaderMap, HeaderName, header};

const AMOUNT: HeaderName = HeaderName::from_static("x-eureka-accept");

fn texts(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &str> {
    headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok())
}

/// The form of a list: JSON if the header, as it stands, speaks of `json` (`ApplicationsResource`); `X-Eureka-Accept` says
/// how much. Everybody else gets XML. The content type says what is sent, which the original's does not always.
pub(crate) fn list_form(headers: &HeaderMap) -> Form {
    let is_json = texts(headers, header::ACCEPT).any(|accept| accept.contains("json"));
    let format = if is_json { Format::Json } else { Format::Xml };
    let is_compact = texts(headers, AMOUNT).any(|amount| amount.trim().eq_ignore_ascii_case("compact"));
    Form { format, amount: if is_compact { Amount::Compact } else { Amount::Full } }
}

/// The format of one instance: the one that is preferred, XML if neither is. Who accepts neither gets JSON if it asks for
/// some kind of it, else XML: better than the original's 406.
pub(crate) fn item_format(headers: &HeaderMap) -> Format {
    let (mut json, mut xml, mut is_json_like) = (0, 0, false);
    for accept in texts(headers, header::ACCEPT) {
        if accept == "application/json" {
            return Format::Json;
        }
        json = json.max(quality(accept, "json"));
        xml = xml.max(quality(accept, "xml"));
        is_json_like |= accept.contains("json");
    }
    if json > xml || (json == 0 && xml == 0 && is_json_like) { Format::Json } else { Format::Xml }
}

/// How much an `Accept` header wants `application/{subtype}`, in thousandths: by the most specific range that has it.
fn quality(accept: &str, subtype: &str) -> u16 {
    let mut best = (0, 0);
    for range in accept.split(',') {
        let mut parts = range.split(';').map(str::trim);
        let Some((main, sub)) = parts.next().and_then(|name| name.split_once('/')) else { continue };
        let specific = match (main.eq_ignore_ascii_case("application"), sub.eq_ignore_ascii_case(subtype)) {
            (true, true) => 3,
            (true, false) if sub == "*" => 2,
            (false, false) if main == "*" && sub == "*" => 1,
            (_, _) => continue,
        };
        if specific > best.0 {
            best = (specific, weight(parts));
        }
    }
    best.1
}

fn weight<'a>(mut parameters: impl Iterator<Item = &'a str>) -> u16 {
    let q = parameters.find_map(|parameter| parameter.strip_prefix("q=").or(parameter.strip_prefix("Q=")));
    q.map_or(1_000, |q| q.trim().parse::<f32>().map_or(0, |q| (q.clamp(0.0, 1.0) * 1_000.0) as u16))
}

/// Whether a list may come packed. The original looks for the letters `gzip`; who says `gzip;q=0` gets it plain here.
pub(crate) fn takes_gzip(headers: &HeaderMap) -> bool {
    texts(headers, header::ACCEPT_ENCODING).flat_map(|codings| codings.split(',')).any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        let named = parts
            .next()
            .is_some_and(|name| name.eq_ignore_ascii_case("gzip") || name.eq_ignore_ascii_case("x-gzip"));
        named && weight(parts) > 0
    })
}

/// What a request's body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BodyType {
    pub(crate) format: Format,
    /// Whether a byte is a character (ISO-8859-1), and not UTF-8.
    pub(crate) is_latin: bool,
}

/// What a body is by its `Content-Type`; `None` if it is nothing that is read here, or the client does not say.
pub(crate) fn body_type(headers: &HeaderMap) -> Option<BodyType> {
    let mut parts = headers.get(header::CONTENT_TYPE)?.to_str().ok()?.split(';').map(str::trim);
    let essence = parts.next()?;
    let format = [Format::Json, Format::Xml]
        .into_iter()
        .find(|format| essence.eq_ignore_ascii_case(format.content_type()))?;
    let is_latin = parts.any(|parameter| {
        parameter.split_once('=').is_some_and(|(name, value)| {
            name.trim().eq_ignore_ascii_case("charset")
                && value.trim().trim_matches('"').eq_ignore_ascii_case("iso-8859-1")
        })
    });
    Some(BodyType { format, is_latin })
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn headers(name: HeaderName, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_static(value))])
    }

    #[test]
    fn lists_look_for_json_and_items_negotiate() {
        for (accept, list, item) in [
            ("application/json", Format::Json, Format::Json),
            ("application/json, application/*+json", Format::Json, Format::Json),
            ("*/*", Format::Xml, Format::Xml),
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", Format::Xml, Format::Xml),
            ("application/xml;q=0.9, application/json;q=0.1", Format::Json, Format::Xml),
            ("application/xml;q=0.1, application/json;q=0.9", Format::Json, Format::Json),
            ("application/vnd.x+json", Format::Json, Format::Json),
            ("text/plain", Format::Xml, Format::Xml),
            ("APPLICATION/JSON", Format::Xml, Format::Json),
            ("*/*;q=0.5, application/json;q=0", Format::Json, Format::Xml),
        ] {
            let headers = headers(header::ACCEPT, accept);
            assert_eq!(list_form(&headers).format, list, "list of {accept}");
            assert_eq!(item_format(&headers), item, "item of {accept}");
        }
        assert_eq!(list_form(&HeaderMap::new()).format, Format::Xml);
        assert_eq!(item_format(&HeaderMap::new()), Format::Xml);
    }

    #[test]
    fn only_the_word_compact_shortens() {
        for (value, amount) in [("Compact", Amount::Compact), ("full", Amount::Full), ("tiny", Amount::Full)]
        {
            assert_eq!(list_form(&headers(AMOUNT, value)).amount, amount);
        }
    }

    #[test]
    fn gzip_is_for_those_who_take_it() {
        for (value, takes) in [
            ("gzip", true),
            ("gzip, deflate", true),
            ("deflate, GZIP;q=0.5", true),
            ("gzip;q=0", false),
            ("deflate", false),
            ("identity", false),
        ] {
            assert_eq!(takes_gzip(&headers(header::ACCEPT_ENCODING, value)), takes, "{value}");
        }
        assert!(!takes_gzip(&HeaderMap::new()));
    }

    #[test]
    fn bodies_are_json_or_xml() {
        let of = |value| body_type(&headers(header::CONTENT_TYPE, value));
        let is = |format, is_latin| Some(BodyType { format, is_latin });
        assert_eq!(of("application/json;charset=UTF-8"), is(Format::Json, false));
        assert_eq!(of("Application/XML"), is(Format::Xml, false));
        assert_eq!(of("application/xml; charset=\"ISO-8859-1\""), is(Format::Xml, true));
        for other in ["text/xml", "text/plain", "application/x-www-form-urlencoded", ""] {
            assert_eq!(of(other), None, "{other}");
        }
        assert_eq!(body_type(&HeaderMap::new()), None);
    }
}
