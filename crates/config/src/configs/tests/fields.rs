//! What is refused before it is proposed.

use super::*;
use crate::FieldError;

fn check(change: impl FnOnce(&mut Publish)) -> Result<(), FieldError> {
    let mut publish = publication("d", "x");
    change(&mut publish);
    publish.check(&Limits::default())
}

fn too_long(field: &'static str, max: usize) -> Result<(), FieldError> {
    Err(FieldError::TooLong { field, max })
}

#[test]
fn each_field_has_its_longest_length() {
    let text = |count: usize| "配".repeat(count);
    assert_eq!(check(|p| p.details.description = Some(text(128))), Ok(()), "characters count, not bytes");
    assert_eq!(check(|p| p.details.description = Some(text(129))), too_long("desc", 128));
    assert_eq!(check(|p| p.details.purpose = Some(text(33))), too_long("use", 32));
    assert_eq!(check(|p| p.details.effect = Some(text(33))), too_long("effect", 32));
    assert_eq!(check(|p| p.details.schema = Some(text(32_768))), Ok(()));
    assert_eq!(check(|p| p.details.schema = Some(text(32_769))), too_long("schema", 32_768));
    assert_eq!(check(|p| p.app_name = Some(text(129))), too_long("appName", 128));
    assert_eq!(check(|p| p.encrypted_data_key = text(1_025)), too_long("encryptedDataKey", 1_024));
    assert_eq!(check(|p| p.author.user = Some(text(129))), too_long("src_user", 128));
    assert_eq!(check(|p| p.author.ip = text(129)), too_long("src_ip", 128));
    assert_eq!(check(|p| p.condition = Condition::Md5(text(65))), too_long("casMd5", 64));
    assert_eq!(check(|p| p.tags = Some(vec![text(64)])), Ok(()));
    assert_eq!(check(|p| p.tags = Some(vec![text(65)])), too_long("tag", 64));
    let six = Publish::tags_of("1,2,3,4,5,6");
    assert_eq!(check(|p| p.tags = Some(six)), Err(FieldError::TooManyTags { max: 5 }));
    assert_eq!(Publish::tags_of("t9,t9"), ["t9"]);
}

#[test]
fn refusals_read_as_in_the_original() {
    let texts = [
        (check(|p| p.details.description = Some("x".repeat(129))).unwrap_err(), "too long desc, over 128"),
        (
            check(|p| p.tags = Some(Publish::tags_of("1,2,3,4,5,6"))).unwrap_err(),
            "too much config_tags, over 5",
        ),
        (Gray::tag("12345678901234567").unwrap_err(), "too long tag, over 16"),
        (Gray::tag("a b").unwrap_err(), "invalid tag : a b"),
        (FieldError::ContentTooLong { max: 10_485_760 }, "invalid content, over 10485760"),
    ];
    for (error, text) in texts {
        assert_eq!(error.to_string(), text);
    }
}

#[test]
fn contents_are_text_that_is_not_blank_and_not_too_long() {
    let refused = |bytes: &'static [u8]| Content::new(Bytes::from_static(bytes)).unwrap_err();
    assert_eq!(refused(b""), FieldError::ContentBlank);
    assert_eq!(refused(b"  \n"), FieldError::ContentBlank);
    assert_eq!(refused(b"\xff"), FieldError::ContentNotUtf8);
    let limits = Limits { content_bytes_max: 3, ..Limits::default() };
    assert_eq!(publication("d", "abc").check(&limits), Ok(()));
    assert_eq!(publication("d", "abcd").check(&limits), Err(FieldError::ContentTooLong { max: 3 }));
    assert_eq!(content(" kept \r\n").bytes(), " kept \r\n", "never trimmed");
}

#[test]
fn gray_versions_are_checked() {
    let general = |name: &str, version: &str, rule: &str| Gray::general(name, version, rule, 5);
    assert_eq!(Gray::tag(""), Err(FieldError::InvalidTag(String::new())));
    assert!(Gray::beta("not an ip").unwrap().is_some(), "as in the original");
    assert_eq!(general("", "1.0.0", "a=b"), Err(FieldError::InvalidGrayName(String::new())));
    assert_eq!(general("a b", "1.0.0", "a=b"), Err(FieldError::InvalidGrayName("a b".into())));
    assert_eq!(general("g", "2", "a=b"), Err(FieldError::InvalidGrayVersion("2".into())));
    for rule in ["", "a", "=b", "a=", "a=b&", "a= ,"] {
        assert_eq!(general("g", "1.0.0", rule), Err(FieldError::InvalidGrayRule(rule.into())), "{rule}");
    }
    assert_eq!(general("beta", "1.0.0", "1.1.1.1"), Ok(beta("1.1.1.1").unwrap()));
    assert_eq!(general("tag_t", "1.0.0", "t"), Ok(tag("t").unwrap()));
    assert_eq!(general("tag_t", "1.0.0", "u"), Err(FieldError::InvalidGrayRule("u".into())));
    assert_eq!(general("g", "1.0.0", "a=b").unwrap().rule.priority(), 5);
}
