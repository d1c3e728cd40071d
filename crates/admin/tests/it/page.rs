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

#[tokio::test]
async fn it_shows_who_registered_over_eureka() {
    let world = World::new().await;
    world.register("public", "orders").await;
    assert!(!world.get("/").await.text().contains("Eureka applications"));
    world.register_eureka("PAYMENTS", "<i>:payments:80");
    let answer = world.get("/").await;
    let text = answer.text();
    let row = "PAYMENTS</td><td><div><strong class=\"ok\">UP</strong> (1): &lt;i&gt;:payments:80</div>";
    for part in ["Eureka applications in public, DEFAULT_GROUP", row, "/lastn"] {
        assert!(text.contains(part), "{part} is missing in {text}");
    }
    assert!(!text.contains("<td>ORDERS"), "what registered over Nacos is a service and no application");
}
