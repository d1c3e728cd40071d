//! What an instance costs, in bytes and in time. Run by hand:
//! `cargo test --release -p muster-registry measure -- --ignored --nocapture --test-threads 1`.

use super::*;
use std::hint::black_box;

const SERVICES: usize = 10_000;
const EACH: usize = 10;

/// Resident bytes of this process.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().strip_suffix(" kB").unwrap().parse::<usize>().unwrap() * 1_024
}

/// CPU time of this process, nanoseconds, in steps of the kernel's scheduler statistics.
fn cpu() -> u64 {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    let times = tasks.map(|task| {
        let text = std::fs::read_to_string(task.unwrap().path().join("schedstat")).unwrap();
        text.split(' ').next().unwrap().parse::<u64>().unwrap()
    });
    times.sum()
}

/// An op as an edge makes it: every text of its own.
fn op(service: usize, at: usize, client: ClientId) -> Op {
    let number = service * EACH + at;
    let host = format!("10.{}.{}.{}:8080", number >> 16, number >> 8 & 255, number & 255);
    let instance = with(
        &host,
        &[("version", "1.0.0"), ("zone", "zone-a"), ("preserved.register.source", "SPRING_CLOUD")],
    );
    register(&client, &format!("com.example.service-{service}"), vec![instance])
}

fn fill(client: impl Fn(usize, usize) -> ClientId) -> World {
    let mut world = World::new();
    for at in 0..EACH {
        for service in 0..SERVICES {
            world.ok(op(service, at, client(service, at)));
        }
    }
    world
}

/// Bytes an instance: registered, and with a view of every service kept.
fn measure(name: &str, client: impl Fn(usize, usize) -> ClientId) {
    let before = resident();
    let world = fill(client);
    let registered = resident();
    let keys = world.registry.visible(&Namespace::default());
    let views: Vec<_> = keys.map(|key| Box::new(world.registry.parts(key).unwrap().build())).collect();
    let viewed = resident();
    let count = SERVICES * EACH;
    assert_eq!(views.iter().map(|view| view.hosts.len()).sum::<usize>(), count);
    println!(
        "{name}: {} B an instance, {} B with views (before rendered bytes), {:?}",
        (registered - before) / count,
        (viewed - before) / count,
        world.registry.counts(),
    );
    black_box((world, views));
}

#[test]
#[ignore = "a measurement, not a test"]
fn measure_bytes_one_client_an_instance() {
    measure("one connection an instance", |service, at| connection((service * EACH + at) as u64));
}

#[test]
#[ignore = "a measurement, not a test"]
fn measure_bytes_ten_instances_a_connection() {
    measure("ten instances a connection", |service, at| connection((at * SERVICES + service) as u64 / 10));
}

#[test]
#[ignore = "a measurement, not a test"]
fn measure_bytes_http_clients() {
    measure("one HTTP client an instance", |service, at| {
        let number = service * EACH + at;
        let host = format!("10.{}.{}.{}:8080", number >> 16, number >> 8 & 255, number & 255);
        address(&host, Kind::Ephemeral)
    });
}

/// An Eureka instance as an edge makes it: every text of its own.
fn eureka_instance(number: usize, app: &str) -> EurekaInstance {
    let ip = format!("10.{}.{}.{}", number >> 16, number >> 8 & 255, number & 255);
    let url = |page: &str| Some(format!("http://{ip}:8080/{page}").into());
    EurekaInstance {
        host_name: ip.as_str().into(),
        ip_addr: ip.as_str().into(),
        home_page_url: url(""),
        status_page_url: url("actuator/info"),
        health_check_url: url("actuator/health"),
        secure_vip_address: Some(app.to_lowercase().into()),
        metadata: Metadata::new([("management.port", "8080"), ("zone", "zone-a")]),
        ..eureka::declared(app, &format!("{ip}:{app}:8080"), number as i64)
    }
}

#[test]
#[ignore = "a measurement, not a test"]
fn measure_bytes_eureka_instances() {
    let before = resident();
    let mut world = World::new();
    for at in 0..EACH {
        for service in 0..SERVICES {
            let app = format!("COM.EXAMPLE.SERVICE-{service}");
            world.ok(eureka::eureka_register(eureka_instance(service * EACH + at, &app)));
        }
    }
    let registered = resident();
    let mut viewer = eureka::Viewer::new();
    viewer.look(&mut world);
    let count = SERVICES * EACH;
    println!(
        "eureka: {} B an instance, {} B with what is shown of each, {:?}",
        (registered - before) / count,
        (resident() - before) / count,
        world.registry.counts(),
    );
    black_box((world, viewer));
}

#[test]
#[ignore = "a measurement, not a test"]
fn measure_time_eureka() {
    const COUNT: usize = 1_000;
    let app = |number: usize| format!("APP-{}", number / 100);
    let all = |dirty: i64| -> Vec<Op> {
        let of = |number| EurekaInstance { last_dirty: dirty, ..eureka_instance(number, &app(number)) };
        (0..COUNT).map(|number| eureka::eureka_register(of(number))).collect()
    };
    let (mut world, mut viewer) = (World::new(), eureka::Viewer::new());
    let mut time = |name: &str, ops: Vec<Op>, mut after: Box<dyn FnMut(&mut World)>| {
        let (count, before) = (ops.len() as u64, cpu());
        for op in ops {
            world.ok(op);
            after(&mut world);
        }
        println!("{name}: {} ns", (cpu() - before) / count);
    };
    time("eureka register new", all(1), Box::new(|_| ()));
    time("eureka register again", (0..100).flat_map(|round| all(round + 2)).collect(), Box::new(|_| ()));
    let renewals = (0..1_000_000).map(|number| {
        let id = eureka_instance(number % COUNT, &app(number % COUNT)).instance_id.unwrap();
        eureka::renewal(&app(number % COUNT), &id, Some(101), false)
    });
    time("eureka renew", renewals.collect(), Box::new(|_| ()));
    let changes: Vec<Op> = (0..20).flat_map(|round| all(round + 200)).collect();
    let look = move |world: &mut World| {
        viewer.look(world);
    };
    time("eureka register again, of 100 in one application, and look", changes, Box::new(look));
}

#[test]
#[ignore = "a measurement, not a test"]
fn measure_time() {
    let client = |number: usize| connection(number as u64 / 10);
    let ops: Vec<Op> = (0..SERVICES * EACH).map(|n| op(n % SERVICES, n / SERVICES, client(n))).collect();
    let mut world = World::new();
    let time = |name: &str, world: &mut World, ops: Vec<Op>| {
        let (count, before) = (ops.len() as u64, cpu());
        for op in ops {
            world.ok(op);
        }
        println!("{name}: {} ns", (cpu() - before) / count);
    };
    time("register new", &mut world, ops.clone());
    time("register again", &mut world, ops.clone());
    let own = address("10.0.0.1:80", Kind::Ephemeral);
    world.ok(register(&own, "beat", vec![instance("10.0.0.1:80")]));
    time("beat", &mut world, vec![beat(&own, "beat", None); 1_000_000]);
    let hosts = |n: usize| (0..n).map(|i| instance(&format!("10.1.{}.{}:80", i >> 8, i & 255))).collect();
    world.ok(register(&connection(1 << 40), "hundred", hosts(100)));
    let before = cpu();
    for _ in 0..10_000 {
        black_box(world.view("hundred"));
    }
    println!("view of 100 hosts: {} ns", (cpu() - before) / 10_000);
    time("batch of 50 again", &mut world, vec![register(&connection(1 << 41), "fifty", hosts(50)); 20_000]);
    let closes = (0..SERVICES as u64)
        .map(|id| Op::Close(Close { client: connection(id), cause: cause(Reason::ConnectionLost) }));
    time("close with ten publications", &mut world, closes.collect());
}

#[test]
#[ignore = "a measurement, not a test"]
fn measure_checkpoint() {
    let world = fill(|service, at| {
        let number = service * EACH + at;
        let host = format!("10.{}.{}.{}:8080", number >> 16, number >> 8 & 255, number & 255);
        if number.is_multiple_of(2) { address(&host, Kind::Ephemeral) } else { connection(number as u64) }
    });
    let (mut pages, mut from, before) = (Vec::new(), Some(PageCursor::default()), cpu());
    while let Some(cursor) = from {
        let (page, next) = world.registry.ephemeral_page(cursor, 512);
        pages.push(page);
        from = next;
    }
    let taken = cpu() - before;
    let publications: Vec<_> = pages.iter().flatten().collect();
    let before = cpu();
    let bytes: Vec<_> = publications.iter().map(|publication| publication.encode()).collect();
    let encoded = cpu() - before;
    let size: usize = bytes.iter().map(|bytes| bytes.len()).sum();
    let before = cpu();
    let decoded: Vec<_> = bytes.iter().map(|bytes| EphemeralPublication::decode(bytes).unwrap()).collect();
    let decode = cpu() - before;
    let (mut again, mut effects, before) = (World::new(), Vec::new(), cpu());
    for publication in decoded {
        again.registry.restore(publication, NodeId(1), again.now, &mut effects).unwrap();
        effects.clear();
    }
    let restored = cpu() - before;
    println!(
        "checkpoint of {} publications: {} pages of at most 512, {} us a page under the lock; encoded in {} ms to {size} \
         B; decoded in {} ms, restored in {} ms",
        publications.len(),
        pages.len(),
        taken / 1_000 / pages.len() as u64,
        encoded / 1_000_000,
        decode / 1_000_000,
        restored / 1_000_000,
    );
}

#[test]
#[ignore = "a measurement, not a test"]
fn measure_mirror() {
    let origin = |node| Origin { node: NodeId(node), epoch: Epoch { boot: 1, random: node } };
    let (mut owner, mut effects) = (World::new(), Vec::new());
    owner.registry.set_identity(origin(1));
    let ops: Vec<Op> = (0..2 * SERVICES * EACH)
        .map(|number| op(number % SERVICES, number / SERVICES, connection(number as u64)))
        .collect();
    let (count, before) = (ops.len() as u64, cpu());
    ops.into_iter().for_each(|op| _ = owner.ok(op));
    println!("register with an identity: {} ns", (cpu() - before) / count);
    let (mut pages, mut from, before) = (Vec::new(), Some(SnapshotCursor::default()), cpu());
    while let Some(cursor) = from {
        let page = owner.registry.snapshot_page(cursor, 256 << 10);
        from = page.next;
        pages.push(page);
    }
    println!("snapshot: {} ms", (cpu() - before) / 1_000_000);
    let mut mirror = World::new();
    mirror.registry.set_identity(origin(2));
    let before = cpu();
    mirror.registry.resync_begin(origin(1), pages[0].sequence, mirror.now, &mut effects);
    for page in &pages {
        effects.clear();
        mirror.registry.resync_page(origin(1), &page.ops, mirror.now, &mut effects).unwrap();
    }
    mirror.registry.resync_end(origin(1), mirror.now, &mut effects).unwrap();
    println!("taking it in: {} ms, {:?}", (cpu() - before) / 1_000_000, mirror.registry.counts());
    assert_eq!(mirror.registry.digest(origin(1)), owner.registry.digest(origin(1)));
    black_box((owner, mirror));
}
