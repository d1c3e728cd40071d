//! The stored formats: what was written once must be readable for ever.

use super::*;

/// What the rows of one publication and its op were when version 1 was made. A difference means that existing
/// data directories become unreadable: raise the version instead, and keep reading this one.
const GOLDEN: [(&str, &str); 4] = [
    (
        "op",
        "010a9b010a0e0a067075626c69631201471a01641207636f6e74656e741a109a0364b9e99bb480dd25e1f028\
         4c85552220663937633564323939343162666231623266646162303837343930366162383232120a047a6f6e\
         6510021a067a6f6e653d6120093803420473686f704a080a0274310a02743252070a0561626f75745a066369\
         7068657262110a05616c696365120831302e302e302e37680a7064",
    ),
    (
        "config",
        "01088aa094a58d1d10e8071a110a05616c696365120831302e302e302e37200a4a4a0a109a0364b9e99bb480dd25e1f028\
         4c85551003180720e8072a110a05616c696365120831302e302e302e373206636970686572380a42120a047a\
         6f6e6510021a067a6f6e653d612009",
    ),
    ("content", "01636f6e74656e74"),
    (
        "history",
        "0110e8071a110a05616c696365120831302e302e302e3722120a047a6f6e6510021a067a6f6e653d61200928\
         0a32109a0364b9e99bb480dd25e1f0284c855538035a0663697068657262110a05616c696365120831302e30\
         2e302e37",
    ),
];

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes(hex: &str) -> Bytes {
    (0..hex.len() / 2).map(|place| u8::from_str_radix(&hex[2 * place..2 * place + 2], 16).unwrap()).collect()
}

fn sample() -> Publish {
    Publish {
        gray: Some(Gray::general("zone", "1.0.0", "zone=a", -5).unwrap()),
        condition: Condition::Md5("f97c5d29941bfb1b2fdab0874906ab82".into()),
        kind: ConfigType::Yaml,
        app_name: Some("shop".into()),
        tags: Some(vec!["t1".into(), "t2".into()]),
        details: Details { description: Some("about".into()), ..Details::default() },
        encrypted_data_key: "cipher".into(),
        ..publication("d", "content")
    }
}

#[test]
fn stored_formats_stay_as_they_are() {
    let mut world = World::default();
    world.publish(sample()).unwrap();
    let row = |wanted: Table| {
        world.rows.iter().find(|((table, _), _)| *table == wanted).map(|(_, value)| hex(value))
    };
    let written = [
        ("op", hex(&Op::Publish(Box::new(sample())).encode())),
        ("config", row(Table::Config).unwrap()),
        ("content", row(Table::ConfigContent).unwrap()),
        ("history", row(Table::ConfigHistory).unwrap()),
    ];
    let golden = GOLDEN.map(|(what, hex)| (what, hex.to_owned()));
    assert_eq!(written, golden);
    assert_eq!(Op::decode(bytes(GOLDEN[0].1)), Ok(Op::Publish(Box::new(sample()))));
}

#[test]
fn rows_of_revisions_are_in_their_order() {
    let keys = [
        HistoryRow::row_key(&key("z"), Revision(1)),
        HistoryRow::row_key(&key("a"), Revision(255)),
        HistoryRow::row_key(&key("b"), Revision(255)),
        HistoryRow::row_key(&key("a"), Revision(256)),
    ];
    assert!(keys.is_sorted());
    assert_eq!(keys[3], b"\0\0\0\0\0\0\x01\0public\0G\0a"[..]);
}
