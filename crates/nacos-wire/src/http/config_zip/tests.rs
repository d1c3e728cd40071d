use super::*;
use proptest::prelude::*;

fn item<'a>(group: &'a str, data_id: &'a str, content: &'a str) -> ExportItem<'a> {
    ExportItem {
        group,
        data_id,
        content: content.as_bytes(),
        app_name: "",
        kind: Some("text"),
        description: None,
        tags: &[],
    }
}

fn archive(files: &[(&str, &[u8])]) -> Bytes {
    let mut zip = ExportZip::new(ZipFormat::First);
    files.iter().for_each(|(name, content)| zip.file(name, content));
    zip.finish()
}

fn open(bytes: Bytes) -> Result<ImportZip, ImportError> {
    ImportZip::open(bytes, ImportLimits::default())
}

fn error(bytes: Bytes) -> ImportError {
    open(bytes).err().expect("it is refused")
}

#[test]
fn the_second_format_comes_back_as_it_went() {
    let tags = ["t1".to_owned(), "t2".to_owned()];
    let described = ExportItem {
        app_name: "shop",
        kind: Some("yaml"),
        description: Some("it's #1: \"a\"\nand - b"),
        tags: &tags,
        ..item("G1", "a.yaml", "a: 1\r\n")
    };
    let mut zip = ExportZip::new(ZipFormat::SecondWithTags);
    zip.add(&described);
    zip.add(&ExportItem { kind: Some("true"), ..item("G:2", "123", "\u{feff}中") });
    let mut read = open(zip.finish()).unwrap();
    assert_eq!(read.unrecognized(), []);
    assert_eq!(read.content(0).unwrap(), b"a: 1\r\n");
    assert_eq!(read.content(1).unwrap(), "\u{feff}中".as_bytes());
    let [first, second] = read.items() else { panic!("{:?}", read.items()) };
    assert_eq!((first.group.as_str(), first.data_id.as_str()), ("G1", "a.yaml"));
    assert_eq!((first.kind.as_deref(), first.app_name.as_deref()), (Some("yaml"), Some("shop")));
    assert_eq!((first.description.as_deref(), first.tags.as_deref()), (described.description, Some("t1,t2")));
    assert_eq!(
        (second.group.as_str(), second.data_id.as_str(), second.kind.as_deref()),
        ("G:2", "123", Some("true"))
    );
    assert_eq!((second.app_name.as_deref(), &second.description, &second.tags), (Some(""), &None, &None));
}

#[test]
fn an_export_of_nothing_is_an_archive_with_an_empty_list() {
    let bytes = ExportZip::new(ZipFormat::Second).finish();
    assert_eq!(error(bytes), ImportError::Metadata);
    assert_eq!(error(ExportZip::new(ZipFormat::First).finish()), ImportError::Nothing);
}

#[test]
fn the_first_format_names_applications() {
    let mut zip = ExportZip::new(ZipFormat::First);
    zip.add(&ExportItem { app_name: "shop", ..item("G", "a.b.yaml", "1") });
    zip.add(&ExportItem { app_name: "core", ..item("G", "plain", "2") });
    zip.add(&item("G", "none", "3"));
    assert_eq!(zip.metadata, "G.a.b~yaml.app=shop\r\nG.plain.app=core\r\n");
    let read = open(zip.finish()).unwrap();
    let applications: Vec<_> = read.items().iter().map(|item| item.app_name.as_deref()).collect();
    assert_eq!(applications, [Some("shop"), Some("core"), None]);
    assert_eq!(read.items()[0].kind, None);
    assert_eq!(error(archive(&[("G/a", b"1"), (META, b"a=b=c")])), ImportError::Metadata);
}

#[test]
fn what_is_no_config_is_told() {
    let metadata =
        b"metadata: [{dataId: a, group: G, type: text}, {dataId: b, group: G, type: text, desc: ~}]\n";
    let files: [(&str, &[u8]); 5] =
        [("G/a", b"1"), ("G/c", b"1"), ("__MACOSX/G/._a", b"1"), ("alone", b"1"), (METADATA, metadata)];
    let read = open(archive(&files)).unwrap();
    let names: Vec<_> = read.items().iter().map(|item| item.data_id.as_str()).collect();
    assert_eq!(names, ["a"]);
    assert_eq!(
        read.unrecognized(),
        [
            Unrecognized::NotInMetadata("G/c".into()),
            Unrecognized::Name("__MACOSX/G/._a".into()),
            Unrecognized::Name("alone".into()),
            Unrecognized::NotInFiles("G/b".into()),
        ]
    );
}

#[test]
fn malformed_metadata_is_refused() {
    for metadata in [
        "",
        "metadata: []",
        "metadata: {}",
        "other: []",
        "- metadata",
        "metadata: [",
        "metadata:\n- dataId: a\n  group: G\n",
        "metadata:\n- dataId: a\n  group: G\n  type: ' '\n",
        "metadata:\n- &x {dataId: a, group: G, type: t}\n- *x\n",
    ] {
        assert_eq!(
            error(archive(&[("G/a", b"1"), (METADATA, metadata.as_bytes())])),
            ImportError::Metadata,
            "{metadata}"
        );
    }
    let deep = "metadata: ".to_owned() + &"[".repeat(100_000);
    assert_eq!(error(archive(&[("G/a", b"1"), (METADATA, deep.as_bytes())])), ImportError::Metadata);
}

#[test]
fn a_type_may_be_left_out_where_that_is_said() {
    let metadata = b"metadata:\n- appName: ''\n  dataId: a\n  group: G\n- {dataId: b, group: G, type: ' '}\n";
    let bytes = archive(&[("G/a", b"1"), ("G/b", b"2"), (METADATA, metadata)]);
    assert_eq!(error(bytes.clone()), ImportError::Metadata);
    let limits = ImportLimits { types_optional: true, ..ImportLimits::default() };
    let read = ImportZip::open(bytes, limits).unwrap();
    let kinds: Vec<_> = read.items().iter().map(|item| item.kind.clone()).collect();
    assert_eq!(kinds, [None, None]);
}

#[test]
fn folded_descriptions_are_read() {
    // As SnakeYAML folds at 80 columns: plain, single-quoted and double-quoted.
    for (written, wanted) in [
        ("one two\n    three", "one two three"),
        ("'it''s: one\n    two'", "it's: one two"),
        ("\"one\\ntwo\\\n    \\ three\"", "one\ntwo three"),
        ("\"\\u4E2D one\"", "\u{4e2d} one"),
        ("\u{4e2d}\u{6587}", "\u{4e2d}\u{6587}"),
    ] {
        let metadata =
            format!("metadata:\n- appName: ''\n  dataId: a\n  desc: {written}\n  group: G\n  type: t\n");
        let read = open(archive(&[("G/a", b"1"), (METADATA, metadata.as_bytes())]));
        let read = read.unwrap_or_else(|error| panic!("{error}: {metadata}"));
        assert_eq!(read.items()[0].description.as_deref(), Some(wanted));
    }
}

#[test]
fn damaged_archives_are_refused_as_a_whole() {
    assert_eq!(error(Bytes::from_static(b"oops")), ImportError::Nothing);
    assert_eq!(error(Bytes::new()), ImportError::Nothing);
    let text = "some text, and some text, and some more text".repeat(20);
    let whole = archive(&[("G/a", text.as_bytes()), ("G/b", b"2")]);
    assert!(matches!(error(whole.slice(..whole.len() / 2)), ImportError::Damaged(_)));
    let mut flipped = whole.to_vec();
    flipped[40] ^= 1;
    assert!(matches!(error(flipped.into()), ImportError::Damaged(_)));
    assert!(matches!(
        error(archive(&[("G/a", b" \n")])),
        ImportError::Content { why: "content is blank", .. }
    ));
    let not_text = error(archive(&[("G/a", b"\xff")]));
    assert_eq!(not_text, ImportError::Content { name: "G/a".into(), why: "content is not UTF-8" });
}

#[test]
fn bombs_are_refused() {
    let limits = ImportLimits {
        files_max: 3,
        unpacked_bytes_max: 3_000,
        content_bytes_max: 2_000,
        types_optional: false,
    };
    let open = |files: &[(&str, &[u8])]| ImportZip::open(archive(files), limits).map(drop);
    let large = "x".repeat(2_000);
    assert_eq!(open(&[("G/a", large.as_bytes()), ("G/b", b"1")]), Ok(()));
    let two = [("G/a", large.as_bytes()), ("G/b", large.as_bytes())];
    assert_eq!(open(&two), Err(ImportError::TooLarge("3000 bytes when unpacked".into())));
    let over = "x".repeat(2_001);
    assert_eq!(open(&[("G/a", over.as_bytes())]), Err(ImportError::TooLarge("2000 bytes in G/a".into())));
    let many = [("G/a", &b"1"[..]), ("G/b", b"1"), ("G/c", b"1"), ("G/d", b"1")];
    assert_eq!(open(&many), Err(ImportError::TooLarge("3 files".into())));
}

proptest! {
    #[test]
    fn every_description_comes_back(text in any::<String>(), app in "[ -~]{0,12}") {
        let mut zip = ExportZip::new(ZipFormat::Second);
        zip.add(&ExportItem { description: Some(&text), app_name: &app, ..item("G", "a", "1") });
        let read = open(zip.finish()).unwrap();
        prop_assert_eq!(read.items()[0].description.as_deref(), Some(text.as_str()));
        prop_assert_eq!(read.items()[0].app_name.as_deref(), Some(app.as_str()));
    }

    #[test]
    fn no_bytes_upset_it(bytes in proptest::collection::vec(any::<u8>(), 0..300), at in 0..200_usize) {
        drop(open(bytes.clone().into()));
        let mut spoilt = archive(&[("G/a", b"some text"), (METADATA, b"metadata: [{dataId: a, group: G, type: t}]")]).to_vec();
        for (place, byte) in bytes.iter().enumerate() {
            if let Some(spoilt) = spoilt.get_mut(at + 7 * place) {
                *spoilt ^= byte;
            }
        }
        drop(open(spoilt.into()));
    }
}
