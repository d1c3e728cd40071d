use crate::world::World;

#[tokio::test]
async fn it_is_at_the_root_and_where_the_console_of_the_original_is() {
    let world = World::new().await;
    for path in ["/", "/nacos/"] {
        let answer = world.get(path).await;
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(answer.headers["content-type"], "text/html; charset=utf-8");
        assert!(answer.headers["content-security-policy"].to_str().unwrap().contains("default-src 'none'"));
    }
    let answer = world.get("/nacos").await;
    assert_eq!((answer.status, answer.text()), (302, ""));
    assert_eq!(answer.headers["location"], "/nacos/");
}

#[tokio::test]
async fn it_shows_every_namespace_that_has_services_and_escapes_what_it_shows() {
    let world = World::new().await;
    world.register("public", "orders").await;
    world.register("dev-1", "payments").await;
    let answer = world.get("/").await;
    let text = answer.text();
    for part in ["Services in public", "orders", "Services in dev-1", "payments", ">ready<", "1 &lt;b&gt;"] {
        assert!(text.contains(part), "{part} is missing in {text}");
    }
    assert!(!text.contains("1 <b>"));
}
