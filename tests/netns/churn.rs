//! Twelve devices that come and go for as long as asked: what the ones that stay take of the machine stays
//! the same.
//!
//! Every few seconds one of the others is killed and starts again, loses its network for a moment, or gets
//! a new address; somebody says something all the while. Descriptors, tasks and memory of the devices that
//! stay are looked at as it goes on. PEDDLENET_CHURN_S, 3600 in the long run.

use std::{fs, time::Duration, time::Instant};

use anyhow::{Context, Result};
use peddlenet_tests::{
    lab::{Lab, Prefix, Room},
    node_process::NodeProcess,
};

use crate::{alone, device};

const ALL: usize = 12;
/// Those that nothing happens to.
const STAY: usize = 4;
/// Between two things that happen.
const PAUSE: Duration = Duration::from_millis(2_500);
/// The first part of the time, which is not compared: rooms grow into their places.
const SETTLE: f64 = 1.0 / 6.0;
/// Memory may be so much more at the end than after that (bytes): messages are said all the while, and an
/// allocator gives back late.
const MEMORY_SLACK: u64 = 6 << 20;

fn duration() -> Duration {
    let asked = std::env::var("PEDDLENET_CHURN_S").ok();
    Duration::from_secs(asked.and_then(|s| s.parse().ok()).unwrap_or(24))
}

/// What one process takes.
#[derive(Debug, Clone, Copy)]
struct Taken {
    descriptors: u64,
    tasks: u64,
    memory: u64,
}

fn taken(node: &NodeProcess) -> Result<Taken> {
    let proc = format!("/proc/{}", node.pid());
    let status = fs::read_to_string(format!("{proc}/status"))?;
    let kib = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok())
        .context("no VmRSS")?;
    let stats = node.ok("stats", serde_json::json!({}))?;
    Ok(Taken {
        descriptors: fs::read_dir(format!("{proc}/fd"))?.count() as u64,
        tasks: stats["tasks"].as_u64().context("no tasks")?,
        memory: kib << 10,
    })
}

/// The most of each that any of them takes.
fn most(nodes: &[NodeProcess]) -> Result<Taken> {
    let all: Result<Vec<_>> = nodes.iter().map(taken).collect();
    let all = all?;
    let most = |of: fn(&Taken) -> u64| all.iter().map(of).max().unwrap_or(0);
    Ok(Taken {
        descriptors: most(|t| t.descriptors),
        tasks: most(|t| t.tasks),
        memory: most(|t| t.memory),
    })
}

#[test]
fn those_who_stay_take_no_more_while_others_come_and_go() {
    let _turn = alone();
    let Some(lab) = Lab::open() else { return };
    let wifi = lab.wifi(Prefix::v4(10, 120, 0)).unwrap();
    let mut stay = Vec::new();
    let mut plugs = Vec::new();
    let mut come_and_go = Vec::new();
    for n in 0..ALL {
        let device = device(&lab, &wifi, &format!("n{n}"), &[]);
        let crate::Device { node, plug, host } = device;
        if n < STAY {
            stay.push(node);
            plugs.push((plug, host));
        } else {
            come_and_go.push((node, plug, host));
        }
    }
    let room = Room::made_by(&stay[0], "Camp").unwrap();
    room.let_in(&stay[0], &stay[1..]).unwrap();
    room.let_in(&stay[0], come_and_go.iter().map(|(node, ..)| node))
        .unwrap();

    let (began, whole) = (Instant::now(), duration());
    let (mut early, mut late): (Vec<Taken>, Vec<Taken>) = (Vec::new(), Vec::new());
    for n in 0.. {
        let gone = began.elapsed().as_secs_f64() / whole.as_secs_f64();
        if gone >= 1.0 {
            break;
        }
        let who = n % come_and_go.len();
        let (node, plug, host) = come_and_go.remove(who);
        let node = match n % 3 {
            0 => {
                let mut node = node;
                node.kill().unwrap();
                node.restart().unwrap()
            }
            1 => {
                plug.cut().unwrap();
                std::thread::sleep(PAUSE);
                plug.restore().unwrap();
                node
            }
            _ => {
                plug.leave().unwrap();
                wifi.rejoin(&plug).unwrap();
                node
            }
        };
        come_and_go.insert(who, (node, plug, host));
        let text = format!("still here {n}");
        room.is_heard(
            &text,
            &stay[n % STAY],
            stay.iter().filter(|s| s.pid() != stay[n % STAY].pid()),
        )
        .unwrap();
        std::thread::sleep(PAUSE);
        let now = most(&stay).unwrap();
        if n % 20 == 0 {
            println!("after {:.0?}: {now:?}", began.elapsed());
        }
        match gone {
            g if g < SETTLE => {}
            g if g < 0.5 => early.push(now),
            _ => late.push(now),
        }
    }
    let all: Vec<_> = stay
        .iter()
        .chain(come_and_go.iter().map(|(node, ..)| node))
        .collect();
    room.all_talk("after all that", &all).unwrap();
    room.until_same(&all).unwrap();
    let peak = |of: &[Taken], what: fn(&Taken) -> u64| of.iter().map(what).max().unwrap_or(0);
    println!("{} and {} looks", early.len(), late.len());
    if early.is_empty() || late.is_empty() {
        return;
    }
    for (what, of, slack) in [
        ("descriptors", (|t| t.descriptors) as fn(&Taken) -> u64, 16),
        ("tasks", |t| t.tasks, 48),
        ("memory", |t| t.memory, MEMORY_SLACK),
    ] {
        let (before, after) = (peak(&early, of), peak(&late, of));
        println!("{what}: at most {before}, then {after}");
        assert!(
            after <= before + slack,
            "{what} grew from {before} to {after}"
        );
    }
}
