//! Pages beside the registry.

use crate::world::{JSON, World, XML};

#[tokio::test]
async fn the_last_leases_are_shown_newest_first() {
    let world = World::new().await;
    let empty = world.get("/lastn", &[]).await;
    assert_eq!(empty.text().matches("No results available").count(), 2);
    world.register("A", "one", "").await;
    world.register("A", "<b>", "").await;
    world.delete("/eureka/apps/A/one").await.is(200, "");
    let page = world.get("/lastn", &[]).await;
    assert!(page.header("content-type").unwrap().starts_with("text/html"));
    let text = page.text();
    assert!(!text.contains("<b>"));
    let at = |part: &str| text.rfind(part).unwrap_or_else(|| panic!("{part} is missing in {text}"));
    assert!(at("A(&lt;b&gt;)") < at("A(one)"), "newest first");
    assert_eq!(text.matches("A(one)").count(), 2);
}

#[tokio::test]
async fn the_status_has_figures_in_both_forms() {
    let world = World::new().await;
    let json = world.get("/eureka/status", &[JSON]).await.json();
    assert!(json["generalStats"]["num-of-cpus"].as_str().unwrap().parse::<u32>().unwrap() > 0);
    assert_eq!(json["instanceInfo"]["status"], "UP");
    let xml = world.get("/eureka/status", &[XML]).await;
    assert!(xml.text().starts_with("<com.netflix.eureka.util.StatusInfo><generalStats><num-of-cpus>"));
    assert!(xml.text().contains("<registered-replicas></registered-replicas>"));
}
