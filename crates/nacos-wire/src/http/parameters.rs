//! Parameters from the query and the form, whichever has them.

use super::{multipart, percent::decode};
/// The parameters of a request. A name in both places means the query's: Nacos takes an arbitrary one, no client
/// does it. Names are case-sensitive, unknown ones are ignored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parameters(Vec<(String, String)>);

/// The most parameters of a request that are looked at; further ones are ignored. A form of nothing but `&a` is else
/// many times as large in memory.
const COUNT_MAX: usize = 1_000;

impl Parameters {
    /// Reads the query (without `?`) and, if the content type says it is a form, the body: URL-encoded or multipart
    /// (text parts). Other bodies are no parameters (Seata sends `application/json` and puts all into the query).
    /// Spring reads forms of POST, PUT, PATCH and DELETE: give no body for GET and HEAD.
    pub fn read(query: &str, content_type: Option<&str>, body: &[u8]) -> Self {
        let mut parameters = Self::default();
        parameters.add_encoded(query.as_bytes());
        let content_type = content_type.unwrap_or_default();
        let media_type = content_type.split(';').next().unwrap_or_default().trim();
        if media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            parameters.add_encoded(body);
        } else if media_type.eq_ignore_ascii_case("multipart/form-data")
            && let Some(boundary) = multipart::boundary(content_type)
        {
            parameters.0.extend(multipart::text_parts(&boundary, body, COUNT_MAX));
            parameters.0.truncate(COUNT_MAX);
        }
        parameters
    }

    fn add_encoded(&mut self, text: &[u8]) {
        let pairs = text.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty());
        for pair in pairs.take(COUNT_MAX - self.0.len().min(COUNT_MAX)) {
            let at = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
            let value = pair.get(at + 1..).unwrap_or_default();
            self.0.push((decode(&pair[..at]).into_owned(), decode(value).into_owned()));
        }
    }

    /// The value of a name, `None` when absent; "" is a value.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The first value that is not blank of some names that mean the same; trimmed, as naming does.
    pub fn first(&self, names: &[&str]) -> Option<&str> {
        names.iter().filter_map(|name| self.get(name)).map(str::trim).find(|value| !value.is_empty())
    }

    /// A flag as Nacos v1 reads it: `true t y yes on` in any case are true, `false f n no off` and all else false;
    /// absent or blank is the default.
    pub fn flag(&self, names: &[&str], default: bool) -> bool {
        self.first(names).map_or(default, |text| {
            ["true", "t", "y", "yes", "on"].iter().any(|word| text.eq_ignore_ascii_case(word))
        })
    }

    /// A flag as Spring binds it (v2, v3): other words than `true on yes 1` and `false off no 0` are an error, which
    /// carries the word.
    pub fn strict_flag(&self, names: &[&str], default: bool) -> Result<bool, String> {
        let Some(text) = self.first(names) else { return Ok(default) };
        let is = |words: &[&str]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
        match (is(&["true", "on", "yes", "1"]), is(&["false", "off", "no", "0"])) {
            (true, _) => Ok(true),
            (_, true) => Ok(false),
            _ => Err(text.to_owned()),
        }
    }

    /// A whole number; `None` if it is absent or none.
    pub fn number(&self, name: &str) -> Option<i64> {
        self.first(&[name])?.parse().ok()
    }

    /// All names and values in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }
}

impl<K: Into<String>, V: Into<String>> FromIterator<(K, V)> for Parameters {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        Self(pairs.into_iter().map(|(key, value)| (key.into(), value.into())).collect())
    }
}

/// The address a client seems to have: first of `X-Forwarded-For`, else `X-Real-IP`, else its socket's. For gray rules
/// and display, never for access control.
pub fn client_address<'a>(forwarded: Option<&'a str>, real: Option<&'a str>, socket: &'a str) -> &'a str {
    let given = |text: &'a str| Some(text.trim()).filter(|text| !text.is_empty());
    let first = forwarded.and_then(|list| list.split(',').next()).and_then(given);
    first.or_else(|| real.and_then(given)).unwrap_or(socket)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORM: Option<&str> = Some("application/x-www-form-urlencoded; charset=GBK");

    #[test]
    fn the_query_wins_and_the_form_adds() {
        let parameters = Parameters::read("a=1&b=%E5%8D%8E", FORM, b"a=2&c=3+4&d&=x&&");
        assert_eq!(parameters.get("a"), Some("1"));
        assert_eq!(parameters.get("b"), Some("华"));
        assert_eq!(parameters.get("c"), Some("3 4"));
        assert_eq!(parameters.get("d"), Some(""));
        assert_eq!(parameters.get("A"), None);
    }

    #[test]
    fn a_flood_of_parameters_is_cut() {
        let flood = "a&".repeat(1_000_000);
        let parameters = Parameters::read("b=1", FORM, flood.as_bytes());
        assert_eq!(parameters.get("b"), Some("1"));
        assert_eq!(parameters.iter().count(), COUNT_MAX);
        let part =
            "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n".repeat(COUNT_MAX + 1) + "--b--";
        let parameters = Parameters::read("", Some("multipart/form-data; boundary=b"), part.as_bytes());
        assert_eq!(parameters.iter().count(), COUNT_MAX);
    }

    #[test]
    fn other_bodies_are_no_form() {
        for content_type in [Some("application/json"), Some("text/plain"), None] {
            assert_eq!(Parameters::read("", content_type, b"a=1"), Parameters::default(), "{content_type:?}");
        }
    }

    #[test]
    fn multipart_text_parts_are_parameters() {
        let body = b"--XX\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nparts\r\n--XX--\r\n";
        let parameters = Parameters::read("", Some("multipart/form-data; boundary=XX"), body);
        assert_eq!(parameters.get("a"), Some("parts"));
    }

    #[test]
    fn flags_are_read_leniently_by_v1_and_strictly_by_v3() {
        let parameters: Parameters =
            [("a", "T"), ("b", "maybe"), ("c", " "), ("d", "off")].into_iter().collect();
        assert!(parameters.flag(&["a"], false));
        assert!(!parameters.flag(&["b"], true));
        assert!(parameters.flag(&["c"], true));
        assert!(!parameters.flag(&["x", "d"], true));
        assert_eq!(parameters.strict_flag(&["d"], true), Ok(false));
        assert_eq!(parameters.strict_flag(&["c"], true), Ok(true));
        assert_eq!(parameters.strict_flag(&["b"], true), Err("maybe".to_owned()));
    }

    #[test]
    fn the_client_address_is_the_first_forwarded() {
        assert_eq!(client_address(Some("10.0.0.2, 10.9.9.9"), Some("1.1.1.1"), "s"), "10.0.0.2");
        assert_eq!(client_address(Some(""), Some("1.1.1.1"), "s"), "1.1.1.1");
        assert_eq!(client_address(None, None, "s"), "s");
    }
}
