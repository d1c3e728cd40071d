use super::*;

fn set(values: &[(&str, &str)]) -> Settings {
    let mut settings = Settings::default();
    for (key, value) in values {
        let setting = table().into_iter().find(|setting| setting.key == *key).unwrap();
        (setting.set)(&mut settings, value).unwrap();
    }
    settings.default_cluster_listen();
    settings
}

fn problem(values: &[(&str, &str)]) -> String {
    set(values).cluster_problems().join("\n")
}

#[test]
fn one_word_is_enough_to_begin_or_to_join() {
    let settings = set(&[("cluster_init", "true")]);
    assert_eq!((settings.cluster.advertised(), settings.cluster_problems().len()), ("127.0.0.1:7848", 0));
    let settings = set(&[("cluster_join", "a:7848"), ("cluster_listen", "b:1")]);
    assert_eq!((settings.cluster.advertised(), settings.cluster_problems().len()), ("b:1", 0));
    assert!(!Settings::default().cluster.is_asked_for());
}

#[test]
fn a_list_needs_a_proof_and_this_node_in_it() {
    let list = [("cluster_peers", "b:7848, a:7848"), ("cluster_listen", "a:7848")];
    assert_eq!(set(&list).cluster.peers, ["a:7848", "b:7848"]);
    assert!(problem(&list).contains("head -c 32 /dev/urandom"));
    let proven = [&list[..], &[("cluster_secret", "x")]].concat();
    assert_eq!(problem(&proven), "");
    let certificates = [("cluster_ca", "x"), ("cluster_certificate", "y"), ("cluster_key", "z")];
    assert_eq!(problem(&[&list[..], &certificates].concat()), "");
    assert!(problem(&[&list[..], &certificates[..2]].concat()).contains("all three"));
    let elsewhere = [&proven[..], &[("cluster_listen", "c:7848")]].concat();
    assert!(problem(&elsewhere).contains("not among a:7848, b:7848"));
    assert!(problem(&[("cluster_init", "true"), ("cluster_join", "a:1")]).contains("choose one"));
    assert!(
        problem(&[("cluster_init", "true"), ("cluster_listen", "0.0.0.0:1")]).contains("cluster_address")
    );
}

#[test]
fn secrets_are_not_shown() {
    let settings = set(&[("cluster_secret", "swordfish"), ("join_token", "swordfish")]);
    let shown: Vec<_> = table().iter().map(|setting| (setting.show)(&settings)).collect();
    assert!(!format!("{settings:?}{shown:?}").contains("swordfish"));
    assert_eq!(settings.cluster.secret.reveal(), "swordfish");
}

#[test]
fn a_cluster_conf_reads() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("cluster.conf");
    std::fs::write(&file, "# ours\n10.0.0.2:8848\n10.0.0.1 # first\n\n10.0.0.3:8849?raft_port=7000&x=1\n")
        .unwrap();
    let read = peers(&file.display().to_string()).unwrap();
    assert_eq!(read, ["10.0.0.1:7848", "10.0.0.2:7848", "10.0.0.3:7000"]);
    std::fs::write(&file, "10.0.0.2:many").unwrap();
    assert!(peers(&file.display().to_string()).unwrap_err().contains("many"));
    assert!(peers("/nowhere/cluster.conf").is_err() && peers("a").is_err() && peers("a:0").is_err());
    let mut settings = Settings::default();
    settings.nacos_servers("10.0.0.1:8848 10.0.0.2:8848", Some("10.0.0.2")).unwrap();
    assert_eq!(settings.cluster.peers, ["10.0.0.1:7848", "10.0.0.2:7848"]);
    assert_eq!(settings.cluster.listen, "10.0.0.2:7848");
}
