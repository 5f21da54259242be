//! Each baseline does what it is known for, on a small scale: it reaches all, at its price, and the same every time.

use peddlenet_sim::{
    Death, Lens, Machine, Net, NodeId, SECOND, World,
    baselines::{Flood, Gossipsub, Iroh, SYSTEMS, flood::Clamp, iroh, run},
    rings,
    scenario::OurEngine,
};

const NODES: u32 = 60;
const DEGREE: u32 = 8;
const MESSAGES: u32 = 40;
const BYTES: usize = 120;

/// Figures of the messages after the warm-up.
#[derive(Debug, PartialEq)]
struct Row {
    /// Of those who were up and had not written it.
    reach: f64,
    /// Payload copies above the one that each needs, as gossip.md counts them.
    rmr: f64,
    /// From publication to the last delivery, the median over the messages.
    last_ms: u64,
    control_per_delivery: u64,
    trace: u64,
}

struct Room<M: Machine>(World<M>);

impl<M: Machine> Room<M> {
    /// `given`: the world links the nodes, as the protocol has no overlay.
    fn new(nodes: u32, seed: u64, given: bool, machine: impl Fn(NodeId) -> M) -> Self {
        let machines = (0..nodes).map(|node| machine(NodeId(node))).collect();
        let mut world = World::new(Net::default(), seed, machines);
        let links = if given {
            rings(nodes, DEGREE, world.dice())
        } else {
            Vec::new()
        };
        world.start_all(&links);
        world.run_for(60 * SECOND);
        let mut room = Self(world);
        room.talk(MESSAGES);
        room
    }

    /// Random nodes speak, a message a second, and everything has time to arrive.
    fn talk(&mut self, messages: u32) -> Row {
        let world = &mut self.0;
        let before = world.tally.total();
        let up = world.up();
        let said: Vec<_> = (0..messages)
            .map(|_| {
                let speaker = up[usize::try_from(world.dice().roll(up.len() as u64)).unwrap()];
                let id = world.publish(speaker, BYTES);
                world.run_for(SECOND);
                id
            })
            .collect();
        world.run_for(5 * SECOND);
        let after = world.tally.total().since(&before);
        let (mut reached, mut lasts) = (0u32, Vec::new());
        for id in said {
            let message = world.tally.message(id);
            let took: Vec<_> = up
                .iter()
                .filter(|node| message.from.0 != **node)
                .filter_map(|node| message.took(*node))
                .collect();
            reached += u32::try_from(took.len()).unwrap();
            lasts.extend(took.into_iter().max());
        }
        lasts.sort_unstable();
        assert!(world.violations.is_empty(), "{:?}", world.violations);
        let wanted = messages * (u32::try_from(up.len()).unwrap() - 1);
        Row {
            reach: f64::from(reached) / f64::from(wanted),
            rmr: f64::from(u32::try_from(after.copies_in).unwrap()) / f64::from(reached) - 1.0,
            last_ms: lasts.get(lasts.len() / 2).copied().unwrap_or(0) / 1_000,
            control_per_delivery: after.control / u64::from(reached),
            trace: world.trace(),
        }
    }
}

fn row<M: Machine>(seed: u64, given: bool, machine: impl Fn(NodeId) -> M) -> Row {
    let row = Room::new(NODES, seed, given, &machine).talk(MESSAGES);
    println!("seed {seed}: {row:?}");
    assert_eq!(
        row,
        Room::new(NODES, seed, given, &machine).talk(MESSAGES),
        "the same seed, another run"
    );
    row
}

#[test]
fn a_plain_flood_costs_the_degree_less_two() {
    let row = row(1, true, |me| Flood::new(me, 1, Clamp::None));
    assert_eq!(row.reach, 1.0);
    // A few of the random links fall on the same pair.
    assert!((5.4..=6.0).contains(&row.rmr), "degree {DEGREE}: {row:?}");
    assert!(row.last_ms < 150, "{row:?}");
}

#[test]
fn bitchats_clamp_saves_copies_and_pays_with_time_and_reach() {
    let row = row(2, true, |me| Flood::new(me, 2, Clamp::Bitchat));
    assert!((0.9..1.0).contains(&row.reach), "{row:?}");
    assert!((1.0..2.5).contains(&row.rmr), "{row:?}");
    assert!(row.last_ms > 300, "{row:?}");
}

#[test]
fn a_flood_ends_after_seven_hops() {
    for clamp in [Clamp::None, Clamp::Bitchat] {
        let machines = (0..12)
            .map(|node| Flood::new(NodeId(node), 3, clamp))
            .collect();
        let mut world = World::new(Net::default(), 3, machines);
        world.start_all(&(1..12).map(|node| (node - 1, node)).collect::<Vec<_>>());
        let id = world.publish(0, BYTES);
        world.run_for(5 * SECOND);
        let there: Vec<_> = (1..12)
            .filter(|&node| world.tally.message(id).took(node).is_some())
            .collect();
        assert_eq!(there, [1, 2, 3, 4, 5, 6, 7], "{clamp:?}");
    }
}

#[test]
fn gossipsub_costs_its_mesh_degree_less_two() {
    let row = row(4, true, |me| Gossipsub::new(me, 4));
    assert_eq!(row.reach, 1.0);
    assert!((3.0..=5.0).contains(&row.rmr), "D = 6: {row:?}");
    assert!(row.last_ms < 150, "{row:?}");
}

#[test]
fn iroh_gossip_sends_less_than_one_copy_too_many_once_its_tree_stands() {
    for (seed, view) in [(5, 5), (6, 8)] {
        let row = row(seed, false, |me| Iroh::new(me, seed, view));
        assert_eq!(row.reach, 1.0);
        assert!(row.rmr < 1.0, "{row:?}");
        let room = Room::new(NODES, seed, false, |me| Iroh::new(me, seed, view));
        let most = (0..NODES).map(|node| room.0.degree(node)).max();
        // One more may be open while a shuffle is answered.
        assert!(most <= Some(view + 2), "view {view}, links {most:?}");
    }
}

#[test]
fn iroh_gossip_comes_back_after_a_crash() {
    let mut room = Room::new(NODES, 7, false, |me| Iroh::new(me, 7, 5));
    (0..10).for_each(|node| room.0.kill(node, Death::Refuses));
    room.0.run_for(10 * SECOND);
    (0..10).for_each(|node| room.0.start(node));
    room.0.run_for(10 * SECOND);
    let row = room.talk(MESSAGES);
    assert_eq!(row.reach, 1.0, "{row:?}");
}

/// Among silent droppers a message gets as far as its author's neighbours: what a dropper relays is told from what it says itself.
fn only_neighbours_hear_a_dropper<M: Machine>(mut world: World<M>, lens: Lens<M::Message>) {
    world.lens = lens;
    (0..world.len()).for_each(|node| world.set_dropper(node));
    let id = world.publish(0, BYTES);
    let neighbours = world.neighbours(0);
    world.run_for(10 * SECOND);
    let there: Vec<_> = (1..world.len())
        .filter(|&node| world.tally.message(id).took(node).is_some())
        .collect();
    assert!(
        !there.is_empty() && there.iter().all(|node| neighbours.contains(node)),
        "{there:?}, not {neighbours:?}"
    );
}

#[test]
fn silent_droppers_say_only_what_is_their_own() {
    only_neighbours_hear_a_dropper(
        Room::new(NODES, 8, true, |me| Flood::new(me, 8, Clamp::None)).0,
        Flood::lens(),
    );
    only_neighbours_hear_a_dropper(
        Room::new(NODES, 8, true, |me| Gossipsub::new(me, 8)).0,
        Gossipsub::lens(),
    );
    only_neighbours_hear_a_dropper(
        Room::new(NODES, 8, false, |me| Iroh::new(me, 8, 5)).0,
        iroh::lens(),
    );
}

#[test]
fn every_system_runs_a_row_by_its_name() {
    for name in SYSTEMS {
        let row = run(name, &OurEngine::default(), "steady", 30, 9).unwrap();
        assert_eq!(row.system, name);
        assert!(row.figure("delivered_ratio") > 0.9, "{row:?}");
        assert!(row.violations.is_empty(), "{row:?}");
    }
}
