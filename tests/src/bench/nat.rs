//! `bench nat`: joining from behind every kind of router, over a rendezvous server.
//!
//! Both devices stand behind a router of their own, on an internet of the lab's ([`crate::lab`]) with one
//! `peddlenet-signaling`. Measured is from the scan to being in the room, as `join` answers it; a pair that needs more
//! scans than one counts as failed once for each that failed. The lab has no delay: what is measured is the ladder's
//! pauses and round trips of a LAN.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::lab::{Internet, Lab, Nat, Prefix, Room};

/// Kinds of routers; `open` is a device with a public address.
const KINDS: [(&str, Option<Nat>); 4] = [
    ("open", None),
    ("full_cone", Some(Nat::FullCone)),
    ("port_restricted", Some(Nat::PortRestricted)),
    ("symmetric", Some(Nat::Symmetric)),
];
/// Joins of each pair.
pub const RUNS: usize = 5;
/// Scans that one join may take (count).
const SCANS: u32 = 3;

/// Measures every pair, the inviter's router first; then all of them together.
///
/// # Errors
/// There is no lab here, or a pair never joined.
pub fn run(runs: usize) -> Result<Vec<Value>> {
    ensure!(runs > 0, "at least one run");
    let mut rows = Vec::new();
    let (mut all, mut scans) = (Vec::new(), 0);
    for (inviter, one) in KINDS {
        for (joiner, other) in KINDS {
            let mut took = Vec::new();
            let mut ways: BTreeMap<String, u32> = BTreeMap::new();
            let mut tried = 0;
            for _ in 0..runs {
                let (ms, via, scanned) = pair(one, other)?;
                took.push(ms);
                *ways.entry(via).or_default() += 1;
                tried += scanned;
            }
            let mut row = row(&mut took, tried);
            row["inviter"] = json!(inviter);
            row["joiner"] = json!(joiner);
            let ways: Vec<_> = ways.iter().map(|(way, n)| format!("{way} {n}")).collect();
            row["via"] = json!(ways.join(", "));
            rows.push(row);
            all.extend(took);
            scans += tried;
        }
    }
    let mut whole = row(&mut all, scans);
    whole["inviter"] = json!("all");
    whole["joiner"] = json!("all");
    rows.push(whole);
    Ok(rows)
}

fn row(took: &mut [f64], scans: u32) -> Value {
    took.sort_by(f64::total_cmp);
    let joins = took.len();
    let success = joins as f64 / f64::from(scans);
    json!({
        "bench": "nat",
        "joins": joins,
        "success_ratio": success,
        "join_ms": took[joins / 2],
        "worst_join_ms": took[joins - 1],
    })
}

/// One joins the other: how long it took, which way, and with how many scans.
fn pair(one: Option<Nat>, other: Option<Nat>) -> Result<(f64, String, u32)> {
    let lab = Lab::new()?;
    let internet = Internet::new(&lab)?;
    let args = ["--no-lan", "--server", internet.url()];
    let mut routers = Vec::new();
    let mut device = |name: &str, nat: Option<Nat>, third| {
        let host = lab.host(name)?;
        let plug = match nat {
            None => internet.outside().join(&host)?,
            Some(nat) => {
                let router = internet.behind(&lab, nat, name, Prefix::v4(192, 168, third))?;
                let plug = router.inside().join(&host)?;
                routers.push(router);
                plug
            }
        };
        anyhow::Ok((host.node(&args)?, plug, host))
    };
    let (ada, _ada_plug, _ada_host) = device("ada", one, 1)?;
    let (bea, _bea_plug, _bea_host) = device("bea", other, 2)?;
    let room = Room::made_by(&ada, "Bench")?;
    let code = room.code(&ada)?;
    // A person walks over with the code: the inviter's device has met the server by then.
    std::thread::sleep(std::time::Duration::from_secs(1));
    for scans in 1..=SCANS {
        match bea.request("join", json!({"link": code}))? {
            Ok(joined) => {
                room.all_talk("there", &[&ada, &bea])?;
                let via = joined["via"].as_str().unwrap_or_default().to_owned();
                return Ok((joined["ms"].as_f64().unwrap_or_default(), via, scans));
            }
            Err(why) => eprintln!("scanned once more: {}", why.code),
        }
    }
    anyhow::bail!("they never joined")
}
