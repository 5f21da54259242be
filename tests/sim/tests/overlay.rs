//! The overlay of our engine: whom devices link up with, however the room began and whatever fails.

use peddlenet_gossip::Controls;
use peddlenet_sim::{Death, MS, Net, NodeId, SECOND, World, ours::Ours, rings};

/// Cap of 12 links and two more while one is said goodbye to.
const DEGREE_MAX: usize = 14;

fn empty(nodes: u32, seed: u64, controls: Controls) -> World<Ours> {
    println!("seed {seed}");
    let machines = (0..nodes)
        .map(|n| Ours::new(NodeId(n), controls, seed))
        .collect();
    let mut world = World::new(Net::default(), seed, machines);
    world.lens = Ours::lens();
    world.degree_max = DEGREE_MAX;
    world
}

fn settled(nodes: u32, seed: u64, controls: Controls) -> World<Ours> {
    let mut world = empty(nodes, seed, controls);
    let links = rings(nodes, 8, world.dice());
    world.start_all(&links);
    world.run_for(15 * SECOND);
    world
}

/// The number of groups among the nodes that are up.
fn groups(world: &World<Ours>) -> usize {
    let mut left = world.up();
    let mut groups = 0;
    while let Some(first) = left.pop() {
        groups += 1;
        let mut todo = vec![first];
        while let Some(node) = todo.pop() {
            let near = |peer: &u32| world.carries(node, *peer);
            let (found, rest) = left.into_iter().partition(near);
            left = rest;
            todo.extend::<Vec<u32>>(found);
        }
    }
    groups
}

fn degrees(world: &World<Ours>) -> Vec<usize> {
    let mut degrees: Vec<usize> = world.up().iter().map(|&n| world.degree(n)).collect();
    degrees.sort_unstable();
    degrees
}

fn half_and_half(i: usize) -> Death {
    [Death::Refuses, Death::Silent][i % 2]
}

/// How long until all that are up form one group, looked at every 100 ms.
fn until_one(world: &mut World<Ours>, most_s: u64) -> Option<u64> {
    let start = world.now_us();
    while groups(world) > 1 {
        if world.now_us() - start > most_s * SECOND {
            return None;
        }
        world.run_for(SECOND / 10);
    }
    Some((world.now_us() - start) / 1_000)
}

#[track_caller]
fn no_violations(world: &World<Ours>) {
    assert_eq!(world.violations, Vec::<String>::new());
}

/// Everybody knows only the inviter and was linked with it, one after the other.
fn grown(nodes: u32, seed: u64) -> World<Ours> {
    let mut world = empty(nodes, seed, Controls::default());
    world.set_known(0, vec![NodeId(1)]);
    world.start(0);
    for node in 1..nodes {
        world.set_known(node, vec![NodeId(0)]);
        world.start(node);
        world.link(0, node);
        world.run_for(SECOND / 2);
    }
    world
}

#[test]
fn a_room_grown_from_one_inviter_becomes_a_mesh_that_survives_it() {
    for seed in 1..=5 {
        let mut world = grown(30, seed);
        world.run_for(60 * SECOND);
        let degrees = degrees(&world);
        println!("{degrees:?}");
        assert!(*degrees.first().unwrap() >= 6 && *degrees.last().unwrap() <= 12);
        world.kill(0, Death::Silent);
        world.run_for(5 * SECOND);
        assert_eq!(groups(&world), 1);
        no_violations(&world);
    }
}

#[test]
fn members_who_join_at_the_same_moment_find_each_other() {
    let mut world = empty(30, 1, Controls::default());
    for node in 0..30 {
        world.set_known(node, vec![NodeId(u32::from(node == 0))]);
        world.start(node);
    }
    for node in 1..30 {
        world.link(0, node);
        world.run_for(MS);
    }
    world.run_for(30 * SECOND);
    println!("{:?}", degrees(&world));
    assert_eq!(groups(&world), 1);
    assert!(degrees(&world)[0] >= 4);
    no_violations(&world);
}

#[test]
fn in_a_small_room_everybody_is_linked_with_everybody() {
    for nodes in 2..=9 {
        let mut world = empty(nodes, 1, Controls::default());
        world.start_all(&[]);
        world.run_for(10 * SECOND);
        assert_eq!(degrees(&world), vec![nodes as usize - 1; nodes as usize]);
        no_violations(&world);
    }
}

#[test]
fn degrees_settle_about_the_target() {
    let mut world = empty(100, 1, Controls::default());
    world.start_all(&[]);
    world.run_for(180 * SECOND);
    let degrees = degrees(&world);
    println!("{degrees:?}");
    assert!(degrees[0] >= 7, "{degrees:?}");
    assert!(degrees[90] <= 9, "{degrees:?}");
    no_violations(&world);
}

#[test]
fn survivors_of_four_fifths_find_each_other() {
    for seed in 1..=3 {
        let mut world = settled(100, seed, Controls::default());
        let up = world.up();
        let dead = world.dice().sample(&up, 80);
        for (i, node) in dead.into_iter().enumerate() {
            world.kill(node, half_and_half(i));
        }
        let took = until_one(&mut world, 15);
        println!("one group after {took:?} ms");
        assert!(took.is_some());
        no_violations(&world);
    }
}

/// Lost peers are what heals it: without their memory it stays split.
#[test]
fn halves_find_each_other_again_because_lost_peers_are_remembered() {
    for lost_peers in [true, false] {
        let controls = Controls {
            lost_peers,
            ..Controls::default()
        };
        let mut world = settled(100, 1, controls);
        world.split(|node| u8::from(node % 2 == 0));
        world.run_for(600 * SECOND);
        assert_eq!(groups(&world), 2);
        world.heal();
        let took = until_one(&mut world, 35);
        println!("lost_peers {lost_peers}: {took:?} ms");
        assert_eq!(took.is_some(), lost_peers);
        no_violations(&world);
    }
}

#[test]
fn with_members_coming_and_going_those_who_stay_are_never_split() {
    let mut world = settled(100, 1, Controls::default());
    let mut split_s = 0;
    for second in 0..60_u32 {
        let node = second * 37 % 100;
        world.kill(node, half_and_half(second as usize));
        world.run_for(SECOND);
        if second >= 10 {
            world.start((second - 10) * 37 % 100);
        }
        // Who was just started has no link yet.
        split_s += usize::from(groups(&world) > 2);
    }
    assert_eq!(split_s, 0);
    world.run_for(60 * SECOND);
    assert_eq!(groups(&world), 1);
    assert!(degrees(&world)[0] >= 6, "{:?}", degrees(&world));
    no_violations(&world);
}

#[test]
fn the_same_seed_makes_the_same_links() {
    let links = |seed| {
        let mut world = grown(20, seed);
        world.run_for(30 * SECOND);
        let links: Vec<_> = (0..20).map(|n| world.neighbours(n)).collect();
        (world.trace(), links)
    };
    assert_eq!(links(3), links(3));
    assert_ne!(links(3), links(4));
}
