use crate::world::World;
use std::collections::BTreeSet;

#[tokio::test]
async fn what_is_scraped_is_openmetrics() {
    let world = World::new().await;
    world.register("public", "orders").await;
    let answer = world.get("/metrics").await;
    let kind = answer.headers["content-type"].to_str().unwrap();
    assert!(kind.starts_with("application/openmetrics-text; version=1.0.0"), "{kind}");
    let text = answer.text();
    assert!(text.ends_with("# EOF\n"));

    let mut seen = BTreeSet::new();
    let mut family = (String::new(), String::new());
    for line in text.lines().take_while(|line| *line != "# EOF") {
        if let Some(kind) = line.strip_prefix("# TYPE ") {
            let (name, kind) = kind.split_once(' ').unwrap();
            assert!(seen.insert(name.to_owned()), "{name} twice");
            family = (name.to_owned(), kind.to_owned());
        } else if !line.starts_with("# HELP ") {
            let (name, value) = line.split_once(' ').unwrap();
            let suffix = if family.1 == "counter" { "_total" } else { "" };
            assert_eq!(name, format!("{}{suffix}", family.0), "a sample belongs to the type above it");
            value.parse::<f64>().unwrap();
        }
    }
    assert!(text.contains("\nmuster_ready 1\n") && text.contains("\nmuster_instances 1\n"), "{text}");
}
