//! Archives as Nacos writes them, byte by byte: Java's `ZipOutputStream` knows neither size nor checksum when a file
//! begins, and so writes them behind it (APPNOTE.TXT 4.3.9); names are UTF-8; the metadata is the last file.

use super::{import, json};
use crate::process::{Node, stderr};
use flate2::{Compression, Crc, write::DeflateEncoder};
use std::{fs, io::Write};

/// Sizes follow, and names are UTF-8.
const FLAGS: u16 = 0x0808;
/// Version 2.0, the flags, deflated, at some time of 2024-03-01.
const COMMON: [u16; 5] = [20, FLAGS, 8, 0x5000, 0x5861];

fn shorts(out: &mut Vec<u8>, values: &[u16]) {
    values.iter().for_each(|value| out.extend(value.to_le_bytes()));
}

fn longs(out: &mut Vec<u8>, values: &[u32]) {
    values.iter().for_each(|value| out.extend(value.to_le_bytes()));
}

fn long(length: usize) -> u32 {
    u32::try_from(length).unwrap()
}

fn short(length: usize) -> u16 {
    u16::try_from(length).unwrap()
}

fn zipped(files: &[(&str, &str)]) -> Vec<u8> {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for (name, content) in files {
        let start = long(out.len());
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(content.as_bytes()).unwrap();
        let packed = encoder.finish().unwrap();
        let mut crc = Crc::new();
        crc.update(content.as_bytes());
        let sizes = [crc.sum(), long(packed.len()), long(content.len())];
        out.extend(b"PK\x03\x04");
        shorts(&mut out, &COMMON);
        longs(&mut out, &[0, 0, 0]);
        shorts(&mut out, &[short(name.len()), 0]);
        out.extend(name.as_bytes());
        out.extend(&packed);
        out.extend(b"PK\x07\x08");
        longs(&mut out, &sizes);
        directory.extend(b"PK\x01\x02");
        shorts(&mut directory, &[20]);
        shorts(&mut directory, &COMMON);
        longs(&mut directory, &sizes);
        // No extra field, comment, second disk, or attributes.
        shorts(&mut directory, &[short(name.len()), 0, 0, 0, 0]);
        longs(&mut directory, &[0, start]);
        directory.extend(name.as_bytes());
    }
    let start = long(out.len());
    out.extend(&directory);
    out.extend(b"PK\x05\x06");
    let count = short(files.len());
    shorts(&mut out, &[0, 0, count, count]);
    longs(&mut out, &[long(directory.len()), start]);
    shorts(&mut out, &[0]);
    out
}

fn move_in(target: &Node, namespace: &str, files: &[(&str, &str)], configs: u64) {
    let file = target.dir.path().join(format!("{namespace}.zip"));
    fs::write(&file, zipped(files)).unwrap();
    let namespace = format!("--namespace={namespace}");
    let done = import(target, &["--zip", file.to_str().unwrap(), &namespace], 0);
    assert_eq!(done["summary"]["config"], serde_json::json!({ "created": configs }), "{done}");
}

fn told(target: &Node, tenant: &str, group: &str, data_id: &str) -> [Option<String>; 4] {
    let query = format!("show=all&dataId={data_id}&group={group}&tenant={tenant}");
    let here = json(target, "/nacos/v1/cs/configs", &query);
    ["content", "type", "appName", "desc"].map(|key| {
        let text = here[key].as_str()?;
        (!text.is_empty()).then(|| text.to_owned())
    })
}

fn texts<const N: usize>(values: [&str; N]) -> [Option<String>; N] {
    values.map(|text| (!text.is_empty()).then(|| text.to_owned()))
}

#[test]
fn an_archive_with_metadata_of_each_config_moves_in() {
    let target = Node::start(&[]);
    // SnakeYAML folds what is long, quotes what must be, and leaves out what is null: the description of some, and the
    // type of those that came with an archive of the first format.
    let metadata = "metadata:\n\
        - appName: shop\n  dataId: a.yaml\n  desc: 'it''s: the first'\n  group: G1\n  type: yaml\n\
        - appName: ''\n  dataId: b.json\n  desc: \"中文 of many words,\\n so many that they do not fit into one line\\\n    \
        \\ of eighty\"\n  group: G2\n  type: json\n\
        - appName: ''\n  dataId: 'true'\n  group: G2\n";
    let files = [
        ("G1/a.yaml", "a: 中\r\n"),
        ("G2/b.json", "{\"a\": 1}"),
        ("G2/true", "no type"),
        (".metadata.yml", metadata),
    ];
    move_in(&target, "dev", &files, 3);
    assert_eq!(told(&target, "dev", "G1", "a.yaml"), texts(["a: 中\r\n", "yaml", "shop", "it's: the first"]));
    let description = "中文 of many words,\n so many that they do not fit into one line of eighty";
    assert_eq!(told(&target, "dev", "G2", "b.json"), texts(["{\"a\": 1}", "json", "", description]));
    assert_eq!(told(&target, "dev", "G2", "true")[0].as_deref(), Some("no type"));
}

#[test]
fn an_archive_with_names_of_applications_moves_in() {
    let target = Node::start(&[]);
    let files = [
        ("G1/a.b.yaml", "a: 1"),
        ("G2/plain", "x"),
        ("G2/none", "y"),
        (".meta.yml", "G1.a.b~yaml.app=shop\r\nG2.plain.app=core\r\n"),
    ];
    move_in(&target, "old", &files, 3);
    for (group, data_id, content, app) in
        [("G1", "a.b.yaml", "a: 1", "shop"), ("G2", "plain", "x", "core"), ("G2", "none", "y", "")]
    {
        let [here, _, app_name, _] = told(&target, "old", group, data_id);
        assert_eq!([here, app_name], texts([content, app]), "{data_id}");
    }
    // Where no config has an application there is no metadata.
    move_in(&target, "bare", &[("G/a", "1")], 1);
    assert_eq!(told(&target, "bare", "G", "a")[0].as_deref(), Some("1"));
    // An export of nothing has only metadata.
    let file = target.dir.path().join("nothing.zip");
    fs::write(&file, zipped(&[(".metadata.yml", "metadata: []\n")])).unwrap();
    let output = target.run(&["import", "nacos", "--zip", file.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
}
