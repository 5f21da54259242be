//! The simulator itself: a run is its seed, and what is said arrives.

use peddlenet_gossip::Controls;
use peddlenet_sim::{Net, NodeId, SECOND, World, ours::Ours, rings};

fn world(nodes: u32, seed: u64) -> World<Ours> {
    let machines = (0..nodes)
        .map(|n| Ours::new(NodeId(n), Controls::default(), seed))
        .collect();
    let mut world = World::new(Net::default(), seed, machines);
    let links = rings(nodes, 8, world.dice());
    world.lens = Ours::lens();
    world.start_all(&links);
    world.run_for(2 * SECOND);
    world
}

fn talk(seed: u64, loss: u32) -> (u64, World<Ours>) {
    let mut world = world(40, seed);
    world.net.loss = loss;
    for n in 0..20 {
        world.publish(n % 40, 200);
        world.run_for(SECOND / 5);
    }
    world.run_for(30 * SECOND);
    (world.trace(), world)
}

#[test]
fn the_same_seed_gives_the_same_trace() {
    let (first, _) = talk(7, 50_000);
    let (second, _) = talk(7, 50_000);
    let (other, _) = talk(8, 50_000);
    assert_eq!(first, second);
    assert_ne!(first, other);
}

#[test]
fn what_is_said_reaches_everybody_once() {
    for loss in [0, 50_000] {
        let (_, world) = talk(1, loss);
        assert_eq!(world.violations, Vec::<String>::new());
        for said in &world.tally.said {
            let missing = (0..40).filter(|&n| said.took(n).is_none()).count();
            assert_eq!(missing, 0, "loss {loss}");
        }
        assert_eq!(world.tally.deliveries, 20 * 39);
    }
}
