//! The grammar of v1 config listeners (nacos-http.md 4.4).

use super::percent::{decode, encode};
use muster_model::Md5;
use std::borrow::Cow;

const WORD: char = '\u{2}';
const RECORD: char = '\u{1}';

/// The most configs one request may listen to (`MD5Util`).
const RECORDS_MAX: usize = 10_000;

/// One config a client listens to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListenRecord {
    /// Data id.
    pub data_id: String,
    /// Group.
    pub group: String,
    /// Md5 of what the client has, "" for nothing.
    pub md5: String,
    /// The namespace as the client spells it; `None` when the word is absent or blank, and then the answer has none.
    pub tenant: Option<String>,
}

impl ListenRecord {
    /// The digest of what the client has; `None` for nothing, or for a text that is none.
    pub fn md5(&self) -> Option<Md5> {
        Md5::parse(&self.md5)
    }
}

/// What is wrong with the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProbeError {
    /// Absent, blank, or a record of two words: 400 `caused: invalid probeModify;`.
    Incomplete,
    /// A record of one word or more than four: 500, the error page with `invalid probeModify`.
    Malformed,
}

/// Reads `Listening-Configs`: `dataId \x02 group \x02 md5 [\x02 tenant] \x01`, repeated. The text is URL-decoded once
/// more than other parameters, for clients that encode twice. A last record without its end is ignored.
pub fn listening_configs(text: Option<&str>) -> Result<Vec<ListenRecord>, ProbeError> {
    let text = text.filter(|text| !text.trim().is_empty()).ok_or(ProbeError::Incomplete)?;
    // Only what is encoded once more holds no separators as they are; a `%` in plain names stays one.
    let text: Cow<'_, str> =
        if text.contains(RECORD) { Cow::Borrowed(text) } else { decode(text.as_bytes()) };
    let mut records: Vec<&str> = text.split(RECORD).collect();
    records.pop();
    if records.len() > RECORDS_MAX {
        return Err(ProbeError::Malformed);
    }
    records.into_iter().map(record).collect()
}

fn record(text: &str) -> Result<ListenRecord, ProbeError> {
    let words: Vec<&str> = text.split(WORD).collect();
    let (data_id, group, md5, tenant) = match words[..] {
        [data_id, group, md5] => (data_id, group, md5, ""),
        [data_id, group, md5, tenant] => (data_id, group, md5, tenant),
        [_, _] => return Err(ProbeError::Incomplete),
        _ => return Err(ProbeError::Malformed),
    };
    Ok(ListenRecord {
        data_id: data_id.to_owned(),
        group: group.to_owned(),
        md5: md5.to_owned(),
        tenant: Some(tenant).filter(|tenant| !tenant.trim().is_empty()).map(str::to_owned),
    })
}

/// How long to hold a request, from its header `Long-Pulling-Timeout` (so misspelt): half a second less than the client
/// waits, at least 10 s. `None` without the header (or with one that is no number): answer at once, in headers.
pub fn hold_ms(long_pulling_timeout: Option<&str>) -> Option<u64> {
    let timeout: u64 = long_pulling_timeout?.trim().parse().ok()?;
    Some(timeout.saturating_sub(500).max(10_000))
}

/// The changed configs, URL-encoded: `a.yaml%02G%02dev%01`. The body of an answer has a line feed after it, the header
/// `Probe-Modify-Response-New` has none.
pub fn changed_text<'a>(changed: impl IntoIterator<Item = &'a ListenRecord>) -> String {
    let mut text = String::new();
    for ListenRecord { data_id, group, tenant, .. } in changed {
        text.extend([data_id, "\u{2}", group]);
        if let Some(tenant) = tenant {
            text.extend(["\u{2}", tenant]);
        }
        text.push(RECORD);
    }
    encode(&text)
}

/// The changed configs for the oldest clients, the header `Probe-Modify-Response`: `a.yaml:G;`.
pub fn old_changed_text<'a>(changed: impl IntoIterator<Item = &'a ListenRecord>) -> String {
    changed.into_iter().map(|record| format!("{}:{};", record.data_id, record.group)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn new(data_id: &str, group: &str, md5: &str, tenant: Option<&str>) -> ListenRecord {
        let owned = str::to_owned;
        ListenRecord {
            data_id: owned(data_id),
            group: owned(group),
            md5: owned(md5),
            tenant: tenant.map(owned),
        }
    }

    #[test]
    fn reads_records_of_three_and_four_words() {
        let text = "a\u{2}G\u{2}5d\u{1}b\u{2}G\u{2}\u{2}dev\u{1}c\u{2}G\u{2}0\u{2}\u{1}rest\u{2}G\u{2}0";
        let expected = [new("a", "G", "5d", None), new("b", "G", "", Some("dev")), new("c", "G", "0", None)];
        assert_eq!(listening_configs(Some(text)).unwrap(), expected);
        assert_eq!(listening_configs(Some(&encode(text))).unwrap(), expected);
        assert_eq!(changed_text(&expected), "a%02G%01b%02G%02dev%01c%02G%01");
        assert_eq!(old_changed_text(&expected[..2]), "a:G;b:G;");
    }

    #[test]
    fn refuses_other_records() {
        for (text, error) in [
            (None, ProbeError::Incomplete),
            (Some(""), ProbeError::Incomplete),
            (Some("a\u{2}G\u{1}"), ProbeError::Incomplete),
            (Some("a\u{1}"), ProbeError::Malformed),
            (Some("a\u{2}G\u{2}0\u{2}t\u{2}u\u{1}"), ProbeError::Malformed),
        ] {
            assert_eq!(listening_configs(text), Err(error), "{text:?}");
        }
        assert_eq!(listening_configs(Some("a\u{2}G\u{2}0")), Ok(vec![]));
    }

    #[test]
    fn holds_at_least_ten_seconds() {
        assert_eq!(hold_ms(Some("30000")), Some(29_500));
        assert_eq!(hold_ms(Some("1000")), Some(10_000));
        assert_eq!(hold_ms(Some("x")), None);
        assert_eq!(hold_ms(None), None);
    }

    proptest! {
        #[test]
        fn records_go_there_and_back(words in proptest::collection::vec(("[a-z:._%-]{1,9}", "[a-zA-Z_]{1,9}", "[0-9a-f]{0,32}", "[a-z-]{0,5}"), 1..5)) {
            let text: String = words.iter().map(|(d, g, m, t)| format!("{d}\u{2}{g}\u{2}{m}\u{2}{t}\u{1}")).collect();
            let records = listening_configs(Some(&text)).unwrap();
            prop_assert_eq!(listening_configs(Some(&encode(&text))).unwrap(), records.clone());
            for (record, (d, g, m, t)) in records.iter().zip(&words) {
                prop_assert_eq!((&record.data_id, &record.group, &record.md5), (d, g, m));
                prop_assert_eq!(record.tenant.as_deref().unwrap_or_default(), t);
            }
        }

        #[test]
        fn no_text_upsets_it(text in any::<String>()) {
            let _ = listening_configs(Some(&text));
        }
    }
}
