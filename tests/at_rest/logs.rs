//! Logs can be handed to a stranger who helps: nobody is in them.

use std::fs;

use serde_json::json;

use super::{Chat, NAMES, ROOM, TEXTS, chat, open_store, secrets};

#[test]
fn logs_at_trace_carry_no_text_key_name_or_address() {
    let logs = tempfile::tempdir().unwrap();
    let log = |who: usize| logs.path().join(format!("{who}.log"));
    let Chat {
        nodes: [ada, mut bea],
        folders,
        link,
    } = chat(|launch, who| {
        launch.env = vec![("PEDDLENET_LOG".into(), "trace".into())];
        launch.stderr = Some(log(who));
    });
    let listen: Vec<_> = [&ada, &bea]
        .iter()
        .flat_map(|n| n.listen().to_vec())
        .collect();
    // What goes wrong is logged, too: a code that leads nowhere, a friend who is gone and comes back.
    ada.ok("join", json!({"link": link})).unwrap_err();
    bea.ok(
        "join",
        json!({"link": format!("{}AAAA", &link[..link.len() - 8])}),
    )
    .unwrap_err();
    bea.kill().unwrap();
    ada.wait_for_event("Bea to be gone", |e| {
        e.kind() == "link" && e.str("state") == "down"
    })
    .unwrap();
    let bea = bea.restart().unwrap();
    ada.wait_for_events("Bea to be back", |events| {
        let up = |e: &&_| is_up(e);
        events.iter().filter(up).count() >= 2
    })
    .unwrap();
    ada.quit().unwrap();
    bea.quit().unwrap();

    let mut secret = Vec::new();
    for folder in &folders {
        secret.extend(secrets(&open_store(folder.path())));
    }
    let mut known: Vec<String> = TEXTS
        .iter()
        .chain(&NAMES)
        .chain([&ROOM])
        .map(ToString::to_string)
        .collect();
    known.extend(secret.iter().flat_map(spellings));
    known.push(link.trim_start_matches("PEDDLENET:J/").to_owned());
    known.extend(listen.iter().map(ToString::to_string));
    known.extend(["127.0.0.1", "[::1]", "::ffff:"].map(str::to_owned));
    assert!(has_address("from 10.0.0.1:77") && !has_address("rtc 0.21.1 in 1.5 s"));
    for (who, name) in NAMES.iter().enumerate() {
        let text = fs::read_to_string(log(who)).unwrap();
        let lines = text.lines().count();
        // Frames are logged at `trace` alone.
        assert!(text.contains("TRACE") && text.contains("frame"), "{text}");
        println!("{name}: {lines} lines");
        for line in text.lines() {
            for known in &known {
                assert!(!line.contains(known.as_str()), "{known} is in: {line}");
            }
            assert!(!has_address(line), "an address is in: {line}");
        }
    }
}

fn is_up(e: &peddlenet_tests::node_process::NodeEvent) -> bool {
    e.kind() == "link" && e.str("state") == "up"
}

/// Bytes as logs would show them: in hex, as numbers, in base64 without its end.
fn spellings(secret: &[u8; 32]) -> [String; 2] {
    let hex: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
    let numbers: Vec<_> = secret[..6].iter().map(ToString::to_string).collect();
    [hex[..16].to_owned(), numbers.join(", ")]
}

/// Four numbers with dots between them, other than times and versions would have.
fn has_address(line: &str) -> bool {
    line.split(|c: char| !(c.is_ascii_digit() || c == '.'))
        .any(|word| word.parse::<std::net::Ipv4Addr>().is_ok())
}
