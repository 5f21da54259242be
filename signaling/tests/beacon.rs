//! The program as a carrier box: its passes, its node, and how it ends.
#![cfg(all(feature = "beacon", unix))]

mod local;

use std::path::Path;
use std::process::{Output, Stdio};
use std::time::Duration;

use data_encoding::{BASE64, HEXLOWER};
use local::PATIENCE;
use local::parcels::DayKey;
use local::passes::{DayPass, today};
use local::process::Program;
use peddlenet_mesh::{Config, Node};
use peddlenet_signaling::BoxKey;
use peddlenet_wire::Pass;
use serde_json::json;
use tokio::process::Command;
use tokio::time::{sleep, timeout};

async fn issue(folder: &Path, args: &[&str]) -> Output {
    let issued = Command::new(env!("CARGO_BIN_EXE_peddlenet-signaling"))
        .args(["pass", "--data"])
        .arg(folder)
        .args(args)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    timeout(PATIENCE, issued).await.expect("it ends").unwrap()
}

fn pass_in(output: &Output) -> Pass {
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8(output.stdout.clone()).unwrap();
    Pass::from_link(said.lines().next().unwrap()).unwrap()
}

async fn beacon(folder: &Path) -> Program {
    Program::quiet(&["--beacon", "--data", folder.to_str().unwrap()]).await
}

#[tokio::test]
async fn a_pass_is_printed_beside_the_running_box_and_outlives_a_kill_with_its_space() {
    let folder = tempfile::tempdir().unwrap();
    let early = issue(folder.path(), &[]).await;
    assert!(!early.status.success());
    let said = String::from_utf8_lossy(&early.stderr);
    assert!(said.contains("--beacon"), "{said}");

    let mut server = beacon(folder.path()).await;
    let three_days = issue(folder.path(), &[]).await;
    assert!(String::from_utf8_lossy(&three_days.stdout).contains('█'));
    let pass = pass_in(&three_days);
    assert_eq!((pass.signatures.len(), pass.space_kib), (3, 64 * 1024));
    // Midnight may have passed since.
    assert!(pass.days().any(|day| day == today()));
    let long = issue(folder.path(), &["--days", "14", "--space-mib", "1"]).await;
    let small = pass_in(&long);
    assert_eq!((small.signatures.len(), small.space_kib), (14, 1024));
    assert_ne!(pass.seed.0, small.seed.0);
    let over = issue(folder.path(), &["--from", "2026-01-01"]).await;
    assert!(
        String::from_utf8_lossy(&over.stderr).contains("is over"),
        "{over:?}"
    );

    let day = DayKey::of(1);
    let under = DayPass::of(&small, today());
    let mut client = server.client().await;
    let mut kept = 0;
    for byte in 0.. {
        let put = under.with(&day.put(&[byte; 32 * 1024], 3600));
        let answer = client.ask(&put).await;
        match answer["code"].as_str() {
            None => kept += 1,
            Some("rate_limited") => sleep(Duration::from_millis(100)).await,
            Some(code) => {
                assert_eq!(code, "quota");
                break;
            }
        }
    }
    assert!((28..=31).contains(&kept), "{kept} of 32 KiB in 1 MiB");
    server.kill().await;

    let server = beacon(folder.path()).await;
    let mut client = server.client().await;
    assert_eq!(client.fetch_all(&day.tag()).await.len(), kept);
    let mut client = server.client().await;
    let put = day.put(&[255; 32 * 1024], 3600);
    assert_eq!(client.ask(&under.with(&put)).await["code"], "quota");
    let other = DayPass::of(&pass, today());
    assert_eq!(client.ask(&other.with(&put)).await["type"], "kept");
}

#[tokio::test]
async fn sigterm_ends_box_and_node_and_the_log_gives_nobody_away() {
    for format in ["text", "json"] {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().to_str().unwrap();
        #[rustfmt::skip]
        let args = [
            "--udp", "off", "--drain-s", "1", "--log", format, "--beacon", "--data", data, "--name", "Quartzgate",
            "--join", "PEDDLENET:J/NOCODE",
        ];
        let program = Program::start(&args, 1).await;
        let key = BoxKey::read(folder.path()).unwrap();
        let pass = key.issue(today(), 1, 64, [0x5e; 32]);
        let day = DayKey::of(1);
        let mut client = program.client().await;
        let put = DayPass::of(&pass, today()).with(&day.put(b"sealed", 60));
        assert_eq!(client.ask(&put).await["type"], "kept");
        let ask = json!({"type": "box", "nonce": BASE64.encode(&[7; 16])});
        assert_eq!(client.ask(&ask).await["type"], "box");
        program.signal("TERM").await;
        assert_eq!(client.end().await, Some(1001));
        let (status, log) = program.ended().await;
        assert!(status.success(), "{status}: {log}");
        assert!(log.contains("a device is gone"), "trace is on: {log}");
        assert!(log.contains("can't join"), "the join is told: {log}");
        let shown = put["pass"].as_str().unwrap();
        let keys = [
            HEXLOWER.encode(&key.public()[..4]),
            BASE64.encode(&key.public())[..12].to_owned(),
            day.tag()[..12].to_owned(),
            shown[..12].to_owned(),
        ];
        let others = ["127.0.0.1", "Quartz", "NOCODE", data].map(str::to_owned);
        for secret in keys.iter().chain(&others) {
            assert!(!log.contains(secret.as_str()), "{secret} in {log}");
        }
        // The folder is free again: both halves have let go of it.
        assert!(Node::is_free(&folder.path().join("node")));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_box_joins_a_room_once_and_stays_in_it() {
    let [ours, theirs] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let config = Config {
        name: Some("Organiser".to_owned()),
        listen: vec![([127, 0, 0, 1], 0).into()],
        lan: false,
        ..Config::at(ours.path().join("profile"))
    };
    let (node, _events) = Node::open(config).await.unwrap();
    let room = node.create_room("Crew").await.unwrap();
    let invite = node
        .invite(room, Duration::from_secs(600), 1)
        .await
        .unwrap();
    let data = theirs.path().to_str().unwrap();
    #[rustfmt::skip]
    let args = ["--beacon", "--data", data, "--name", "Gate box", "--join", &invite.link];
    for _ in 0..2 {
        let program = Program::quiet(&args).await;
        // Its name comes after it.
        let linked = async {
            loop {
                let links = node.links().await.unwrap().len();
                let members = node.members(room).await.unwrap();
                let named = members.iter().any(|member| member.name == "Gate box");
                if links == 1 && named {
                    break members;
                }
                sleep(Duration::from_millis(50)).await;
            }
        };
        let members = timeout(PATIENCE, linked).await.expect("the box comes");
        assert_eq!(members.len(), 2);
        program.signal("TERM").await;
        let (status, _) = program.ended().await;
        assert!(status.success());
        let gone = async {
            while !node.links().await.unwrap().is_empty() {
                sleep(Duration::from_millis(50)).await;
            }
        };
        timeout(PATIENCE, gone).await.expect("it says goodbye");
    }
    node.close().await;
}
