//! Statements as the tools write them, and worse.

use super::{super::collected::AccountItem, *};

const SCHEMA: &str = "
-- MariaDB dump 10.19
/*!40101 SET NAMES utf8mb4 */;
/*M!999999\\- enable the sandbox mode */
DROP TABLE IF EXISTS `config_info`;
CREATE TABLE `config_info` (
  `id` bigint(64) unsigned NOT NULL AUTO_INCREMENT COMMENT 'it''s, an (id',
  `data_id` varchar(255) COLLATE utf8_bin NOT NULL,
  `group_id` varchar(128) DEFAULT NULL,
  `content` longtext NOT NULL,
  `tenant_id` varchar(128) DEFAULT '',
  `type` varchar(64) DEFAULT NULL,
  `gmt_modified` datetime NOT NULL DEFAULT current_timestamp(),
  PRIMARY KEY (`id`),
  UNIQUE KEY `uk` (`data_id`,`group_id`,`tenant_id`)
) ENGINE=InnoDB AUTO_INCREMENT=3 COMMENT='config;info';
";

fn read(text: &str) -> anyhow::Result<Collected> {
    parse(text.as_bytes(), &Zone::UTC)
}

fn dump(values: &str) -> String {
    format!(
        "{SCHEMA}LOCK TABLES `config_info` WRITE;\nINSERT INTO `config_info` VALUES {values};\nUNLOCK TABLES;\n"
    )
}

fn only_content(text: &str) -> String {
    let collected = read(text).unwrap();
    assert_eq!(collected.configs.len(), 1);
    collected.configs.into_values().next().unwrap().versions.remove(0).content
}

#[test]
fn texts_are_read_as_mysql_writes_them() {
    for (written, meant) in [
        (r"'a\nb\tc\\d\'e\0\Z'", "a\nb\tc\\d'e\0\u{1a}"),
        ("'it''s \"x\"; -- no comment /* nor this'", "it's \"x\"; -- no comment /* nor this"),
        (r#""double \" and "" 'x'""#, "double \" and \" 'x'"),
        ("_binary 'b'", "b"),
        ("0x61C3A4", "aä"),
        ("X'6162'", "ab"),
        (r"'100\% \_'", r"100\% \_"),
        ("'多字节 (a),(b);'", "多字节 (a),(b);"),
    ] {
        let values = format!("(1,'a.yaml','G',{written},'','yaml','2024-01-02 03:04:05')");
        assert_eq!(only_content(&dump(&values)), meant, "{written}");
    }
}

#[test]
fn rows_are_told_apart_and_columns_are_found() {
    let collected = read(&dump(
        "(1,'a','G','x','',NULL,'2024-01-01 00:00:00'),\n(2,'b','G','y','dev','json','2024-01-01 00:00:00')",
    ))
    .unwrap();
    let keys: Vec<_> = collected.configs.keys().map(|(ns, _, id)| format!("{ns}/{id}")).collect();
    assert_eq!(keys, ["dev/b", "public/a"]);
    assert_eq!(collected.configs.values().next().unwrap().versions[0].r#type.as_deref(), Some("json"));
    // Named columns need no CREATE TABLE, and may come in any order.
    let named = "INSERT IGNORE INTO db.config_info (content, data_id, group_id) VALUES ('x','a','G')
        ON DUPLICATE KEY UPDATE content='z';";
    assert_eq!(only_content(named), "x");
}

#[test]
fn procedures_are_passed_over() {
    let text = format!(
        "DELIMITER ;;\nCREATE PROCEDURE p() BEGIN INSERT INTO config_info VALUES ('no'); END ;;\nDELIMITER ;\n{}",
        dump("(1,'a','G','x','','text','2024-01-01 00:00:00')")
    );
    assert_eq!(only_content(&text), "x");
}

#[test]
fn what_is_cut_off_or_no_dump_is_refused() {
    let whole = dump("(1,'a','G','x','','text','2024-01-01 00:00:00')");
    let values = whole.find("VALUES").unwrap();
    for end in [values + 8, values + 15, values + 25] {
        let error = format!("{:#}", read(&whole[..end]).unwrap_err());
        assert!(error.contains("cut off"), "{end}: {error}");
    }
    for (text, wanted) in [
        ("", "no row of a table of Nacos"),
        ("not sql at all", "no row of a table of Nacos"),
        ("INSERT INTO config_info VALUES ('a');", "columns"),
        ("INSERT INTO config_info (data_id) VALUES ('a','b');", "2 values for 1 columns"),
        ("INSERT INTO config_info (data_id) VALUES (UUID());", "only plain values"),
    ] {
        let error = format!("{:#}", read(text).unwrap_err());
        assert!(error.contains(wanted), "{text}: {error}");
    }
}

#[test]
fn everything_of_a_config_comes_together() {
    let text = r#"
INSERT INTO config_info (id,data_id,group_id,tenant_id,content,src_user,src_ip,app_name,c_desc,type,gmt_modified)
 VALUES (1,'a','G','','formal','bob','10.0.0.1','shop','about','yaml','2024-01-02 00:00:00'),
        (2,'a','G','public','newer','bob','10.0.0.1','shop','about','yaml','2024-01-03 00:00:00');
INSERT INTO config_tags_relation (nid,id,tag_name,data_id,group_id,tenant_id) VALUES (1,1,'t1','a','G',''),(2,1,'t2','a','G','');
INSERT INTO config_info_gray (data_id,group_id,tenant_id,content,gray_name,gray_rule)
 VALUES ('a','G','public','new beta','beta','{\"type\":\"beta\",\"version\":\"1.0.0\",\"expr\":\"10.0.0.7\",\"priority\":2147483647}');
INSERT INTO config_info_beta (data_id,group_id,tenant_id,content,beta_ips) VALUES ('a','G','','old beta','1.1.1.1');
INSERT INTO config_info_tag (data_id,group_id,tenant_id,content,tag_id) VALUES ('a','G','','tagged','v2');
INSERT INTO his_config_info (nid,id,data_id,group_id,tenant_id,content,op_type,gmt_modified,src_user,publish_type,ext_info)
 VALUES (9,1,'a','G','','one','U         ','2024-01-02 00:00:00.500','eve','formal','{\"type\":\"yaml\",\"src_user\":\"bob\",\"config_tags\":\"t1\"}'),
        (7,1,'a','G','','one','I         ','2024-01-01 00:00:00','bob','formal',NULL),
        (8,1,'a','G','','g','I         ','2024-01-01 00:00:01','bob','gray',NULL);
INSERT INTO tenant_info (id,kp,tenant_id,tenant_name,tenant_desc) VALUES (1,'1','dev','Development',NULL);
INSERT INTO users (username,password,enabled) VALUES ('nacos','$2a$10$x',1),('off','y',b'0');
INSERT INTO roles (username,role) VALUES ('nacos','ROLE_ADMIN');
INSERT INTO permissions (role,resource,action) VALUES ('dev','dev:*:*','rw');
INSERT INTO config_info_aggr (id,data_id) VALUES (1,'a');
"#;
    let collected = read(text).unwrap();
    assert_eq!(collected.namespaces[0].name, "Development");
    let config = collected.configs.values().next().unwrap();
    assert_eq!(collected.configs.len(), 1, "'' and public are one namespace");
    let contents: Vec<_> = config.versions.iter().map(|version| version.content.as_str()).collect();
    assert_eq!(contents, ["newer", "new beta", "tagged"]);
    assert_eq!(config.versions[0].tags.as_deref(), Some(&["t1".to_owned(), "t2".to_owned()][..]));
    let grays: Vec<_> = config.versions.iter().filter_map(|version| version.gray.clone()).collect();
    assert_eq!((grays[0].expression.as_str(), grays[1].name.as_str()), ("10.0.0.7", "tag_v2"));
    let told: Vec<_> = config.history.iter().map(|entry| (entry.op.as_str(), entry.time)).collect();
    assert_eq!(told, [("I", 1_704_067_200_000), ("U", 1_704_153_600_500)], "by number, without blanks");
    let update = &config.history[1];
    assert_eq!((update.by_user.as_deref(), update.version.user.as_deref()), (Some("eve"), Some("bob")));
    assert_eq!(collected.accounts.len(), 4);
    assert!(matches!(&collected.accounts[1], AccountItem::User { enabled: false, .. }));
    assert_eq!(collected.notes.len(), 3, "{:?}", collected.notes);
}

#[test]
fn zones_are_distances_from_utc() {
    let of = |text: &str| {
        let dump = format!(
            "INSERT INTO his_config_info (nid,data_id,group_id,content,op_type,gmt_modified) \
             VALUES (1,'a','G','x','I','1970-01-02 08:00:00'); -- {text}"
        );
        let collected = parse(dump.as_bytes(), &zone(text).unwrap()).unwrap();
        collected.configs.into_values().next().unwrap().history[0].time / 3_600_000
    };
    assert_eq!((of("UTC"), of("+08:00"), of("-03:30")), (32, 24, 35));
    for text in ["", "8", "+8", "+15:00", "08:00", "Asia/Shanghai"] {
        assert!(zone(text).is_none(), "{text}");
    }
}
