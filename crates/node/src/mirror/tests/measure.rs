//! Figures, for those who ask: `cargo test --release -p muster-node mirror -- --ignored --nocapture`.

use super::world::World;
use tokio::time::Instant;

/// CPU time of this process, milliseconds.
fn cpu_ms() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    ticks * 10
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "it measures"]
async fn a_full_mirror() {
    let size = 200_000;
    let mut world = World::of(2).await;
    world.start_all(&[1]).await;
    let begun = cpu_ms();
    (0..size).for_each(|number| world.nodes[&1].beater_registers_of(number));
    println!("{size} registrations: {} ms of CPU", cpu_ms() - begun);
    let (cpu, begun) = (cpu_ms(), Instant::now());
    world.start_all(&[2]).await;
    world.until("it is mirrored", |world| world.nodes[&2].count() == size as usize).await;
    println!("mirrored in {:?}: {} ms of CPU, both sides together", begun.elapsed(), cpu_ms() - cpu);
    for (id, node) in &world.nodes {
        let counts = node.node.mirror_counts();
        println!("{id}: {} ops and {} bytes received", counts.ops_received, counts.op_bytes_received);
    }
    let cpu = cpu_ms();
    (0..10_000).for_each(|number| world.nodes[&1].beater_registers_of(size + number));
    world.until("it is mirrored", |world| world.nodes[&2].count() == size as usize + 10_000).await;
    println!("10,000 more registrations: {} ms of CPU, both sides together", cpu_ms() - cpu);
}
