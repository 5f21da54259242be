//! `bench network`: what a network of real hosts costs and how soon it mends itself, in the lab of
//! [`crate::lab`].
//!
//! ```text
//!  discovery   two members meet in a network that neither has been in: the second is ready -> it hears
//!              what the first said before
//!  reconnect   an access point comes back with other addresses -> all of four heard what was said meanwhile
//!  hotspot     twelve on the hotspot of one of them, which dies; another network is offered -> each of the
//!              eleven has heard what each other one said there
//!  merge       two halves of twelve, the cable between them out for a minute, in again -> the first message
//!              crosses; -> all heads equal
//!  idle        nine members with nothing to say: bytes and processor time of the one with most links, as
//!              usual and while all save their batteries
//! ```
//!
//! Rows are medians over the runs, with the worst beside. Bytes are those of the host's interfaces, both
//! directions, whatever is multicast included: `in_out_bytes_s` with the headers of Ethernet, IP and UDP,
//! `ip_in_out_bytes_s` with those of IP and UDP, `payload_in_out_bytes_s` without any. Nobody scans after the
//! room was made.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::{
    lab::{Host, Lab, Plug, Prefix, Room, Traffic, Wifi, cpu_time, links},
    node_process::NodeProcess,
};

/// What can be measured, each on its own.
pub const SCENARIOS: [&str; 5] = ["discovery", "reconnect", "hotspot", "merge", "idle"];

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Plan {
    /// How often everything is measured.
    pub runs: usize,
    /// One of [`SCENARIOS`]; all of them when `None`.
    pub only: Option<String>,
    /// How long the halves are apart.
    pub partition: Duration,
    /// How long the idle ones are watched.
    pub idle: Duration,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            runs: 5,
            only: None,
            partition: Duration::from_secs(60),
            idle: Duration::from_secs(60),
        }
    }
}

/// Members where a network dies or breaks in two (count).
const TWELVE: usize = 12;
/// Members of which one may have eight links (count).
const NINE: usize = 9;
/// Members under an access point that comes back (count).
const FOUR: usize = 4;
/// How long an access point is off.
const OFF: Duration = Duration::from_secs(5);
/// Before the idle ones are watched: links are found, histories compared.
const SETTLE: Duration = Duration::from_secs(40);
/// Until both ends of every link have heard that battery is to be saved.
const SLOWED: Duration = Duration::from_secs(15);

/// Measures what is asked for; a row each. The scenarios of a run take turns.
///
/// # Errors
/// There is no lab here, or a story did not end well.
pub fn run(plan: &Plan) -> Result<Vec<Value>> {
    ensure!(plan.runs > 0, "at least one run");
    let asked: Vec<_> = SCENARIOS
        .into_iter()
        .filter(|name| plan.only.as_deref().is_none_or(|only| only == *name))
        .collect();
    ensure!(!asked.is_empty(), "network measures {SCENARIOS:?}");
    let mut figures = BTreeMap::<_, Vec<_>>::new();
    for n in 1..=plan.runs {
        for scenario in &asked {
            eprintln!("network: {scenario}, run {n} of {}", plan.runs);
            let measured = measure(scenario, plan)?;
            for (key, value) in measured {
                figures.entry((*scenario, key)).or_default().push(value);
            }
        }
    }
    let rows = asked.into_iter().map(|scenario| {
        let of_it = figures.iter().filter(|((of, _), _)| *of == scenario);
        row(
            scenario,
            plan,
            of_it.map(|((_, key), values)| (*key, values)),
        )
    });
    Ok(rows.collect())
}

fn measure(scenario: &str, plan: &Plan) -> Result<Figures> {
    match scenario {
        "discovery" => discovery(),
        "reconnect" => reconnect(),
        "hotspot" => hotspot(),
        "merge" => merge(plan.partition),
        _ => idle(plan.idle),
    }
}

/// One run's figures: the key's suffix is the unit.
type Figures = Vec<(&'static str, f64)>;

/// The median and the worst of each figure.
fn row<'f>(
    scenario: &str,
    plan: &Plan,
    figures: impl Iterator<Item = (&'static str, &'f Vec<f64>)>,
) -> Value {
    let mut row = json!({"bench": "network", "scenario": scenario, "runs": plan.runs});
    for (key, values) in figures {
        let mut values = values.clone();
        values.sort_by(f64::total_cmp);
        let round = |value: f64| (value * 100.0).round() / 100.0;
        row[key] = json!(round(values[values.len() / 2]));
        row[format!("worst_{key}")] = json!(round(values[values.len() - 1]));
    }
    row
}

/// A member: its node ends before its host goes.
struct Member {
    node: NodeProcess,
    plug: Plug,
    host: Host,
}

fn member(lab: &Lab, wifi: &Wifi, name: &str) -> Result<Member> {
    let host = lab.host(name)?;
    let plug = wifi.join(&host)?;
    Ok(Member {
        node: host.node(&[])?,
        plug,
        host,
    })
}

fn members(lab: &Lab, wifi: &Wifi, count: usize) -> Result<(Room, Vec<Member>)> {
    let all = (0..count)
        .map(|n| member(lab, wifi, &format!("n{n}")))
        .collect::<Result<Vec<_>>>()?;
    Ok((room_of(&nodes(&all))?, all))
}

fn room_of(nodes: &[&NodeProcess]) -> Result<Room> {
    let room = Room::made_by(nodes[0], "Bench")?;
    room.let_in(nodes[0], nodes[1..].iter().copied())?;
    room.all_talk("all there", nodes)?;
    Ok(room)
}

fn nodes(members: &[Member]) -> Vec<&NodeProcess> {
    members.iter().map(|m| &m.node).collect()
}

fn discovery() -> Result<Figures> {
    let lab = Lab::new()?;
    let first = lab.wifi(Prefix::v4(10, 201, 0))?;
    let (room, mut all) = members(&lab, &first, 2)?;
    let second = lab.wifi(Prefix::v4(10, 202, 0))?;
    for member in &mut all {
        member.node.kill()?;
        member.plug.leave()?;
        second.join(&member.host)?;
    }
    let [one, two] = <[Member; 2]>::try_from(all).map_err(|_| anyhow::anyhow!("two were made"))?;
    let before = one.node.restart_on(Vec::new())?;
    room.say(&before, "anybody here?")?;
    let after = two.node.restart_on(Vec::new())?;
    let ready = after.wait_for_event("ready", |e| e.kind() == "ready")?.at;
    let heard = room.hear(&after, "anybody here?")?.at;
    let took = heard.saturating_duration_since(ready);
    Ok(vec![("discovery_to_chat_ms", ms(took))])
}

fn reconnect() -> Result<Figures> {
    let lab = Lab::new()?;
    let wifi = lab.wifi(Prefix::v4(10, 203, 0))?;
    let (room, all) = members(&lab, &wifi, FOUR)?;
    wifi.off()?;
    room.say(&all[0].node, "is it gone?")?;
    std::thread::sleep(OFF);
    wifi.on_again(Prefix::v4(10, 204, 0))?;
    let back = Instant::now();
    let mut last = Duration::ZERO;
    for other in &all[1..] {
        let heard = room.hear(&other.node, "is it gone?")?.at;
        last = last.max(heard.saturating_duration_since(back));
    }
    Ok(vec![("back_to_all_heard_ms", ms(last))])
}

fn hotspot() -> Result<Figures> {
    let lab = Lab::new()?;
    let phone = lab.host("phone")?;
    let spot = phone.hotspot(Prefix::v4(10, 207, 0))?;
    let mut host = phone.node(&[])?;
    let rest = (1..TWELVE)
        .map(|n| member(&lab, &spot, &format!("n{n}")))
        .collect::<Result<Vec<_>>>()?;
    let rest_nodes = nodes(&rest);
    let twelve: Vec<_> = std::iter::once(&host).chain(rest_nodes.clone()).collect();
    let room = room_of(&twelve)?;
    host.kill()?;
    spot.off()?;
    let offered = lab.wifi(Prefix::v4(10, 208, 0))?;
    for member in &rest {
        offered.join(&member.host)?;
    }
    let back = Instant::now();
    let text = |speaker: &NodeProcess| format!("elsewhere, says {}", speaker.pid());
    for speaker in &rest_nodes {
        room.say(speaker, &text(speaker))?;
    }
    let mut last = Duration::ZERO;
    for speaker in &rest_nodes {
        for listener in rest_nodes.iter().filter(|l| l.pid() != speaker.pid()) {
            let heard = room.hear(listener, &text(speaker))?.at;
            last = last.max(heard.saturating_duration_since(back));
        }
    }
    Ok(vec![("offered_to_all_chat_ms", ms(last))])
}

fn merge(partition: Duration) -> Result<Figures> {
    let lab = Lab::new()?;
    let left = lab.wifi(Prefix::v4(10, 205, 0))?;
    let right = lab.wifi(Prefix::v4(10, 205, 0).starting_at(100))?;
    let trunk = left.trunk(&right)?;
    let mut all = Vec::new();
    for n in 0..TWELVE {
        let wifi = if n < TWELVE / 2 { &left } else { &right };
        all.push(member(&lab, wifi, &format!("n{n}"))?);
    }
    let all_nodes = nodes(&all);
    let room = room_of(&all_nodes)?;
    let (lefts, rights) = all_nodes.split_at(TWELVE / 2);
    trunk.cut()?;
    std::thread::sleep(partition / 2);
    room.is_heard("on the left", lefts[1], lefts[2..].iter().copied())?;
    room.is_heard("on the right", rights[1], rights[2..].iter().copied())?;
    std::thread::sleep(partition / 2);
    trunk.restore()?;
    let back = Instant::now();
    // Heads are looked at while the messages come: what is heard carries the time it was read.
    room.until_same(&all_nodes)?;
    let same = back.elapsed();
    let mut first = Duration::MAX;
    for (side, text) in [(rights, "on the left"), (lefts, "on the right")] {
        for node in side {
            let heard = room.hear(node, text)?.at;
            first = first.min(heard.saturating_duration_since(back));
        }
    }
    Ok(vec![
        ("first_cross_ms", ms(first)),
        ("heads_equal_ms", ms(same)),
    ])
}

fn idle(watched: Duration) -> Result<Figures> {
    let lab = Lab::new()?;
    let wifi = lab.wifi(Prefix::v4(10, 206, 0))?;
    let (room, all) = members(&lab, &wifi, NINE)?;
    room.until_same(&nodes(&all))?;
    std::thread::sleep(SETTLE);
    let mut most = (0, 0);
    for (n, member) in all.iter().enumerate() {
        most = most.max((links(&member.node)?, n));
    }
    let busiest = &all[most.1];
    let usual = watch(busiest, watched)?;
    for member in &all {
        let setting = json!({"name": "battery", "value": "on"});
        member.node.ok("setting", setting)?;
    }
    std::thread::sleep(SLOWED);
    let saving = watch(busiest, watched)?;
    Ok(vec![
        ("links", f64::from(u32::try_from(most.0)?)),
        ("in_out_bytes_s", usual.bytes),
        ("ip_in_out_bytes_s", usual.ip_bytes),
        ("payload_in_out_bytes_s", usual.payload_bytes),
        ("in_out_packets_s", usual.packets),
        ("cpu_percent", usual.cpu_percent),
        ("battery_in_out_bytes_s", saving.bytes),
        ("battery_ip_in_out_bytes_s", saving.ip_bytes),
        ("battery_payload_in_out_bytes_s", saving.payload_bytes),
        ("battery_in_out_packets_s", saving.packets),
        ("battery_cpu_percent", saving.cpu_percent),
    ])
}

/// What a member costs: each second, in and out; and the share of one core that its node takes.
struct Cost {
    bytes: f64,
    ip_bytes: f64,
    payload_bytes: f64,
    packets: f64,
    cpu_percent: f64,
}

fn watch(member: &Member, watched: Duration) -> Result<Cost> {
    let count = || -> Result<(Traffic, Duration)> {
        Ok((member.host.traffic()?, cpu_time(member.node.pid())?))
    };
    let (before, cpu_before) = count()?;
    let began = Instant::now();
    std::thread::sleep(watched);
    let (after, cpu_after) = count()?;
    let seconds = began.elapsed().as_secs_f64();
    let came = after.since(&before);
    let a_second = |count: u64| Ok::<_, anyhow::Error>(f64::from(u32::try_from(count)?) / seconds);
    let cpu = cpu_after.saturating_sub(cpu_before);
    Ok(Cost {
        bytes: a_second(came.bytes)?,
        ip_bytes: a_second(came.ip_bytes())?,
        payload_bytes: a_second(came.payload_bytes())?,
        packets: a_second(came.packets)?,
        cpu_percent: cpu.as_secs_f64() / seconds * 100.0,
    })
}

fn ms(took: Duration) -> f64 {
    took.as_secs_f64() * 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_has_the_median_and_the_worst_with_the_unit_last() {
        let values = vec![3.0, 1.0, 2.004];
        let figures = [("some_ms", &values)];
        let row = row("merge", &Plan::default(), figures.into_iter());
        assert_eq!(row["some_ms"], 2.0);
        assert_eq!(row["worst_some_ms"], 3.0);
        assert_eq!(row["scenario"], "merge");
    }

    #[test]
    fn what_is_not_measured_is_said() {
        let plan = Plan {
            only: Some("weather".to_owned()),
            ..Plan::default()
        };
        assert!(run(&plan).unwrap_err().to_string().contains("idle"));
    }
}
