//! SIGKILL in the middle of sending, on whole `peddlenet-node` processes, again and again on one
//! profile.
//!
//! ```text
//!  rounds of the first half    Ada alone, killed while messages are on their way to the disk
//!  rounds of the second half   the same, linked to Bea, who hears some of what Ada did not live to see
//!  after each                  Ada starts; every message that was answered with ok is in her history
//!  at the end                  both have the same messages: no position was ever signed twice
//! ```
//!
//! `PEDDLENET_KILLS=N` sets the number of rounds (50 without it), `PEDDLENET_SEED=S` the moments.

#![cfg(target_os = "linux")]

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use peddlenet_tests::node_process::{Launch, NodeProcess, str_of};
use serde_json::{Value, json};

/// Messages written in one go before the kill (count): more than a round can save.
const BURST: usize = 400;
/// A kill comes at most that long after the first message is on its way.
const LATEST_KILL: Duration = Duration::from_millis(120);
/// Messages in one page (count).
const PAGE: usize = 500;

/// Message id -> text.
type Messages = BTreeMap<String, String>;

/// A room of one node, whichever process it runs in.
struct Killed {
    node: NodeProcess,
    room: String,
    acked: Messages,
    said: usize,
}

impl Killed {
    /// Sends without waiting, is killed at some moment, and starts again.
    fn round(mut self, number: usize, delay: Duration) -> Self {
        let first = self.send(&format!("{number}.0"));
        let mut sent = vec![(first, format!("{number}.0"))];
        let kill_at = Instant::now() + delay;
        for n in 1..BURST {
            let text = format!("{number}.{n}");
            sent.push((self.send(&text), text));
            if Instant::now() >= kill_at {
                break;
            }
        }
        std::thread::sleep(kill_at.saturating_duration_since(Instant::now()));
        self.node.kill().unwrap();
        let mut acked_now = 0;
        for (id, text) in sent {
            match self.node.try_reply(id) {
                Some(Ok(ok)) => {
                    self.acked.insert(str_of(&ok, "message").to_owned(), text);
                    acked_now += 1;
                }
                Some(Err(failure)) => panic!("round {number}: {failure:?}"),
                None => {}
            }
        }
        self.said += acked_now;
        self.node = self.node.restart().unwrap();
        self.check(number);
        self
    }

    fn send(&self, text: &str) -> u64 {
        let fields = json!({"room": self.room, "text": text});
        self.node.post("send", fields).unwrap()
    }

    /// Everything that was acknowledged is there, unchanged.
    fn check(&self, round: usize) {
        let kept = messages(&self.node, &self.room);
        for (id, text) in &self.acked {
            assert_eq!(
                kept.get(id),
                Some(text),
                "after round {round}, of {} acknowledged and {} kept",
                self.acked.len(),
                kept.len()
            );
        }
        let events = self.node.events();
        assert!(
            !events.iter().any(|e| e.kind() == "quarantined"),
            "round {round}: the data was set aside"
        );
    }
}

#[test]
fn a_killed_node_keeps_what_it_acknowledged_and_never_forks() {
    let rounds = usize::try_from(number_from_env("PEDDLENET_KILLS", 50)).unwrap();
    let seed = number_from_env("PEDDLENET_SEED", 0x5eed);
    println!("{rounds} kills, seed {seed} (PEDDLENET_SEED={seed} repeats the moments)");
    let mut random = Random(seed);
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let ada = NodeProcess::start(Launch::new("Ada", folders[0].path())).unwrap();
    let made = ada.ok("create_room", json!({"name": "Kill"})).unwrap();
    let room = str_of(&made, "room").to_owned();

    let mut killed = Killed {
        node: ada,
        room: room.clone(),
        acked: Messages::new(),
        said: 0,
    };
    let alone = rounds / 2;
    for round in 0..alone {
        killed = killed.round(round, random.below(LATEST_KILL));
    }
    let said_alone = killed.said;

    let bea = NodeProcess::start(Launch::new("Bea", folders[1].path())).unwrap();
    let invite = killed.node.ok("invite", json!({"room": room})).unwrap();
    bea.ok("join", json!({"link": invite["link"]})).unwrap();
    for round in alone..rounds {
        killed
            .node
            .wait_for_event("Bea to be linked", |e| {
                e.kind() == "member" && e.str("name") == "Bea" && e.str("state") == "linked"
            })
            .unwrap();
        killed = killed.round(round, random.below(LATEST_KILL));
    }
    println!(
        "{said_alone} acknowledged alone, {} linked",
        killed.said - said_alone
    );
    assert!(
        killed.said > rounds,
        "too little was said for this to mean anything"
    );

    same_in_the_end(&killed, &bea);
}

/// Both ends agree on every position of every log, and on what stands there.
fn same_in_the_end(killed: &Killed, bea: &NodeProcess) {
    let room = &killed.room;
    let last = killed
        .node
        .ok("send", json!({"room": room, "text": "the end"}));
    let last = last.unwrap();
    bea.wait_for_event("the last word", |e| e.str("text") == "the end")
        .unwrap();
    let digest = |node: &NodeProcess| {
        let heads = node.ok("heads", json!({"room": room})).unwrap();
        (heads["digest"].clone(), heads["events"].clone())
    };
    let until = Instant::now() + peddlenet_tests::node_process::DEADLINE;
    while digest(&killed.node) != digest(bea) {
        assert!(
            Instant::now() < until,
            "the two never agree: {:?} and {:?}",
            digest(&killed.node),
            digest(bea)
        );
        std::thread::sleep(Duration::from_millis(50));
    }
    let (here, there) = (messages(&killed.node, room), messages(bea, room));
    assert_eq!(here, there);
    assert!(here.contains_key(str_of(&last, "message")));
    // Had a position been signed twice, one of the two texts would have got lost on one side.
    let heard: BTreeSet<_> = bea
        .events()
        .iter()
        .map(|e| e.str("message").to_owned())
        .collect();
    for id in heard.iter().filter(|id| !id.is_empty()) {
        assert!(
            here.contains_key(id),
            "Bea heard {id}, which Ada has no more"
        );
    }
}

/// A node's whole history.
fn messages(node: &NodeProcess, room: &str) -> Messages {
    let mut all = Messages::new();
    let mut before = Value::Null;
    loop {
        let fields = json!({"room": room, "limit": PAGE, "before": before});
        let page = node.ok("history", fields).unwrap();
        let page = page["messages"].as_array().unwrap();
        let Some(oldest) = page.first() else {
            return all;
        };
        before = oldest["message"].clone();
        for message in page {
            all.insert(
                str_of(message, "message").to_owned(),
                str_of(message, "text").to_owned(),
            );
        }
    }
}

/// SplitMix64: moments that a seed repeats.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: Duration) -> Duration {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        Duration::from_micros(z % u64::try_from(limit.as_micros()).unwrap_or(u64::MAX))
    }
}

/// A number of rounds or a seed from the environment.
fn number_from_env(name: &str, default: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text
            .parse()
            .unwrap_or_else(|_| panic!("{name} is no number: {text}")),
        Err(_) => default,
    }
}
