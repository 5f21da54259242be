//! Coming into a room in which ten thousand things were said.

use std::time::{Duration, Instant};

use peddlenet_tests::node_process::{Launch, NodeProcess, str_of};
use serde_json::json;

use crate::{alone, town::is_message};

/// What was said before (count).
const PAST: usize = 10_000;
/// The newest page, which a screen shows at once (count).
const PAGE: usize = 50;
/// What still counts as at once where two cores run both devices; idle ones take a tenth of a second.
const AT_ONCE: Duration = Duration::from_secs(5);
/// Requests sent before their replies are read (count).
const AHEAD: usize = 500;

fn text(n: usize) -> String {
    format!("past {n}")
}

#[test]
fn who_comes_into_a_long_past_sees_its_end_at_once_and_talks_while_the_rest_comes() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let start = |name: &str| {
        let launch = Launch::new(name, folder.path().join(name));
        NodeProcess::start(launch).unwrap()
    };
    let (ada, bea) = (start("Ada"), start("Bea"));
    let made = ada.ok("create_room", json!({"name": "Long past"})).unwrap();
    let room = str_of(&made, "room");
    let say = |node: &NodeProcess, text: &str| {
        node.post("send", json!({"room": room, "text": text}))
            .unwrap()
    };
    let writing = Instant::now();
    let mut waiting = std::collections::VecDeque::new();
    for n in 0..PAST {
        waiting.push_back(say(&ada, &text(n)));
        if waiting.len() > AHEAD {
            let oldest = waiting.pop_front().unwrap();
            ada.reply(oldest).unwrap().unwrap();
        }
    }
    for id in waiting {
        ada.reply(id).unwrap().unwrap();
    }
    println!("{PAST} messages written in {:?}", writing.elapsed());

    let code = ada.ok("invite", json!({"room": room})).unwrap();
    let scanned = Instant::now();
    let join = bea.post("join", json!({"link": code["link"]})).unwrap();
    let is_past = |e: &peddlenet_tests::node_process::NodeEvent| {
        e.kind() == "message" && e.str("text").starts_with("past ")
    };
    let page = bea
        .wait_for_events("the newest page", |events| {
            events.iter().filter(|e| is_past(e)).count() >= PAGE
        })
        .unwrap();
    let first_page: Vec<_> = page.iter().filter(|e| is_past(e)).take(PAGE).collect();
    for n in PAST - PAGE..PAST {
        assert!(
            first_page.iter().any(|e| e.str("text") == text(n)),
            "past {n} is not on the first page"
        );
    }
    let on_screen = first_page.iter().map(|e| e.at).max().unwrap();
    println!("newest page {:?} after the scan", on_screen - scanned);
    assert!(on_screen - scanned < AT_ONCE);
    bea.reply(join).unwrap().unwrap();

    // Most of the past is still on its way.
    let asked = Instant::now();
    let mine = say(&bea, "sorry I'm late");
    bea.reply(mine).unwrap().unwrap();
    let heard = ada
        .wait_for_event("Bea", |e| is_message(e, "sorry I'm late"))
        .unwrap();
    println!("heard by the room {:?} later", heard.at - asked);
    let answered = Instant::now();
    ada.reply(say(&ada, "no problem")).unwrap().unwrap();
    let heard = bea
        .wait_for_event("the answer", |e| is_message(e, "no problem"))
        .unwrap();
    println!("the answer took {:?}", heard.at - answered);
    let so_far = bea.events().iter().filter(|e| is_past(e)).count();
    println!("{so_far} of {PAST} there by then");
    assert!(
        so_far < PAST,
        "the past was there before the answer: it proves nothing"
    );

    let all = bea
        .wait_for_events("all of the past", |events| {
            events.iter().filter(|e| is_past(e)).count() >= PAST
        })
        .unwrap();
    let last = all.iter().filter(|e| is_past(e)).map(|e| e.at).max();
    println!("all of it after {:?}", last.unwrap() - scanned);
    let texts: std::collections::BTreeSet<_> = all
        .iter()
        .filter(|e| is_past(e))
        .map(|e| e.str("text").to_owned())
        .collect();
    assert_eq!(texts.len(), PAST, "each once");
    let heads = |node: &NodeProcess| node.ok("heads", json!({"room": room})).unwrap();
    assert_eq!(heads(&ada)["digest"], heads(&bea)["digest"]);
}
