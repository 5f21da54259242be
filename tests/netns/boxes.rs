//! Carrier boxes: what devices find and tell one that is near, and what they tell one that only says it is.
//!
//! ```text
//!  [ box: peddlenet-signaling --beacon ] --mDNS--> Wi-Fi <--> ada, bea, cem
//!  [ poser: a test of this program, run again on another host ]   announces what it was told, writes down all it hears
//! ```

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Child, Stdio},
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use data_encoding::{BASE64, HEXLOWER};
use futures_util::{SinkExt as _, StreamExt as _};
use peddlenet_crypto::{BoxKey, Day, pass::issue};
use peddlenet_mesh::{Announced, Config, Node};
use peddlenet_tests::{
    lab::{CarrierBox, Host, Lab, Plug, Prefix, Room, Wifi, until},
    node_process::NodeProcess,
};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::Message;

use crate::{beside_others, device, devices};

const LAN: &[&str] = &[];
const PORT: u16 = 8787;
/// How often a joiner scans (count): finding the box and then the way over its relay takes most of the seconds that a join has.
const SCANS: usize = 4;
/// What a poser's process is told by: the key that it announces, the seed that it signs by, and its folder.
const POSER: [&str; 3] = ["PN_POSER_ANNOUNCES", "PN_POSER_SIGNS_BY", "PN_POSER_FOLDER"];

#[test]
fn at_the_gate_who_comes_later_reads_from_the_box_what_was_said_by_who_is_gone() {
    let _turn = beside_others();
    let Some(lab) = Lab::open() else { return };
    let wifi = lab.wifi(Prefix::v4(10, 120, 0)).unwrap();
    let (room, mut all) = devices(&lab, &wifi, &["ada", "bea"], LAN);
    let gate = CarrierBox::join(&lab, &wifi, "10.120.0.0/24").unwrap();
    let mut bea = all.pop().unwrap();
    let ada = all.pop().unwrap();
    back_up(&ada.node, &room, &gate.pass().unwrap());
    for node in [&ada.node, &bea.node] {
        until_at_box(node, &gate.address().to_string());
    }
    // Each leaves what it said so far itself: the next copy is of what is said next.
    until("all events at the box", || {
        let events = room.heads(&ada.node)?["events"].as_u64();
        let left = [&ada.node, &bea.node].map(|node| count(node, "copies_left"));
        Ok(match events == Some(left.iter().sum()) {
            true => Ok(()),
            false => Err(format!("{left:?} of {events:?}")),
        })
    })
    .unwrap();
    bea.node.kill().unwrap();
    let before = count(&ada.node, "copies_left");
    room.say(&ada.node, "see you at the lake").unwrap();
    until_count(&ada.node, "copies_left", before + 1);
    drop(ada);

    let back = bea.node.restart_on(Vec::new()).unwrap();
    if let Err(why) = room.hear(&back, "see you at the lake") {
        panic!("{why:#}: {}", back.ok("stats", json!({})).unwrap());
    }
    assert!(count(&back, "copies_fetched") > 0);
}

#[test]
fn where_devices_are_kept_apart_a_poster_lets_in_by_the_box_and_its_relay() {
    let _turn = beside_others();
    let Some(lab) = Lab::open() else { return };
    let wifi = lab.wifi(Prefix::v4(10, 121, 0)).unwrap();
    let ada = device(&lab, &wifi, "ada", LAN);
    let bea = device(&lab, &wifi, "bea", LAN);
    wifi.isolate().unwrap();
    // It came after: devices reach the box, and it reaches them.
    let gate = CarrierBox::join(&lab, &wifi, "10.121.0.0/24").unwrap();
    let room = Room::made_by(&ada.node, "Camp").unwrap();
    back_up(&ada.node, &room, &gate.pass().unwrap());
    until_at_box(&ada.node, &gate.address().to_string());
    let asked = json!({"room": room.id(), "poster": true});
    let poster = ada.node.ok("invite", asked).unwrap();
    let join = json!({"link": poster["link"]});
    let scans = (1..=SCANS).find_map(|scan| {
        let joined = bea.node.request("join", join.clone()).unwrap();
        joined.map(|joined| (scan, joined)).ok()
    });
    let (scan, joined) = scans.expect("the poster lets bea in");
    eprintln!("bea came in by scan {scan}");
    assert_eq!(joined["via"], "turn");
    room.all_talk("through the box", &[&ada.node, &bea.node])
        .unwrap();
    // Now it is bea's room, too, and so her box.
    until_at_box(&bea.node, &gate.address().to_string());
}

#[test]
fn a_false_box_is_told_no_tag() {
    let _turn = beside_others();
    let Some(lab) = Lab::open() else { return };
    let wifi = lab.wifi(Prefix::v4(10, 122, 0)).unwrap();
    let key = BoxKey::from_seed(&[1; 32]);
    let ada = device(&lab, &wifi, "ada", LAN);
    let room = Room::made_by(&ada.node, "Camp").unwrap();
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let today = u32::try_from(seconds.as_secs() / 86_400).unwrap();
    let pass = issue(&key, Day::of(today), 2, 1024, [2; 32]);
    back_up(&ada.node, &room, &pass.to_link());

    let liar = Poser::join(&lab, &wifi, "liar", key.public(), [9; 32]);
    until_count(&ada.node, "false_boxes", 1);
    let true_one = Poser::join(&lab, &wifi, "true", key.public(), [1; 32]);
    until("a tag at the true box", || {
        Ok(match true_one.told("join") {
            0 => Err("nothing is told".to_owned()),
            _ => Ok(()),
        })
    })
    .unwrap();
    let heard = true_one.heard();
    assert_eq!(heard[0]["type"], "box", "the proof comes first: {heard:?}");
    let heard = liar.heard();
    assert!(heard.len() < 3, "it is left alone: {heard:?}");
    for frame in heard {
        assert_eq!(frame["type"], "box");
        assert_eq!(frame.as_object().map(|o| o.len()), Some(4), "{frame}");
    }
}

#[test]
fn without_a_pass_or_the_setting_a_box_is_told_nothing() {
    let _turn = beside_others();
    let Some(lab) = Lab::open() else { return };
    let wifi = lab.wifi(Prefix::v4(10, 123, 0)).unwrap();
    let (room, all) = devices(&lab, &wifi, &["ada", "bea", "cem"], LAN);
    room.all_talk("before", &crate::nodes(&all)).unwrap();
    let key = BoxKey::from_seed(&[3; 32]);
    let poser = Poser::join(&lab, &wifi, "box", key.public(), [3; 32]);
    let on = json!({"name": "boxes", "value": "on"});
    let met = |from: &crate::Device| {
        let ip = from.plug.address().unwrap().to_string();
        until("a tag", || {
            let told = poser.heard().into_iter().any(|frame| {
                (frame["from"].as_str(), frame["type"].as_str()) == (Some(&ip), Some("join"))
            });
            Ok(if told {
                Ok(())
            } else {
                Err(format!("not by {ip}"))
            })
        })
        .unwrap();
    };
    all[2].node.ok("setting", on.clone()).unwrap();
    met(&all[2]);
    room.all_talk("it is there", &crate::nodes(&all)).unwrap();
    for quiet in &all[..2] {
        let ip = quiet.plug.address().unwrap().to_string();
        assert!(!poser.came(&ip), "{ip} connected");
    }
    // And it would have been found.
    all[0].node.ok("setting", on).unwrap();
    met(&all[0]);
}

fn back_up(node: &NodeProcess, room: &Room, pass: &str) {
    let act = json!({"room": room.id(), "on": true, "pass": pass});
    node.ok("backup", act).unwrap();
}

fn count(node: &NodeProcess, what: &str) -> u64 {
    let stats = node.ok("stats", json!({})).unwrap();
    stats[what].as_u64().unwrap_or_default()
}

fn until_count(node: &NodeProcess, what: &str, least: u64) {
    let counted = || match count(node, what) {
        n if n >= least => Ok(Ok(())),
        n => Ok(Err(format!("{n} {what}"))),
    };
    until(what, counted).unwrap();
}

/// Until a node is connected to the box at that address.
fn until_at_box(node: &NodeProcess, ip: &str) {
    until("the box", || {
        let stats = node.ok("stats", json!({}))?;
        let servers = stats["servers"].as_array().cloned().unwrap_or_default();
        let is_it = |s: &Value| {
            let url = s["url"].as_str().unwrap_or_default();
            s["box"] == true && s["up"] == true && url.contains(ip)
        };
        Ok(match servers.iter().any(is_it) {
            true => Ok(()),
            false => Err(format!("servers: {servers:?}")),
        })
    })
    .unwrap();
}

/// What says it is a box, on a host of its own. It answers the question for a proof, and nothing else.
struct Poser {
    process: Child,
    folder: TempDir,
    _plug: Plug,
    _host: Host,
}

impl Poser {
    fn join(lab: &Lab, wifi: &Wifi, name: &str, announces: [u8; 32], signs_by: [u8; 32]) -> Self {
        let host = lab.host(name).unwrap();
        let plug = wifi.join(&host).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let program = std::env::current_exe().unwrap();
        let told = [
            HEXLOWER.encode(&announces),
            HEXLOWER.encode(&signs_by),
            folder.path().to_string_lossy().into_owned(),
        ];
        let mut command = host.command(&program.to_string_lossy());
        command
            .args(["boxes::poser_process", "--exact", "--ignored"])
            .envs(POSER.into_iter().zip(told))
            .stdout(Stdio::null());
        Self {
            process: command.spawn().unwrap(),
            folder,
            _plug: plug,
            _host: host,
        }
    }

    /// Everything that it was told, in order; each with whom it is from.
    fn heard(&self) -> Vec<Value> {
        let text = fs::read_to_string(heard_in(self.folder.path())).unwrap_or_default();
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        let lines = whole
            .lines()
            .map(|line| serde_json::from_str(line).unwrap());
        lines
            .filter(|frame: &Value| frame["type"] != "connected")
            .collect()
    }

    /// Frames of a kind that it was told (count).
    fn told(&self, kind: &str) -> usize {
        let heard = self.heard().into_iter();
        heard.filter(|frame| frame["type"] == kind).count()
    }

    /// Whether that address ever connected.
    fn came(&self, ip: &str) -> bool {
        let text = fs::read_to_string(heard_in(self.folder.path())).unwrap();
        text.contains(&format!("\"{ip}\""))
    }
}

impl Drop for Poser {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn heard_in(folder: &Path) -> PathBuf {
    folder.join("heard")
}

/// The process of a [`Poser`]; does nothing where it was not told what to be.
#[test]
#[ignore = "another test runs it on a host of the lab"]
fn poser_process() {
    let told = POSER.map(|name| std::env::var(name).ok());
    let [Some(announces), Some(signs_by), Some(folder)] = told else {
        return;
    };
    let key = |hex: &str| -> [u8; 32] {
        let bytes = HEXLOWER.decode(hex.as_bytes()).unwrap();
        bytes.try_into().unwrap()
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(pose(
        key(&announces),
        BoxKey::from_seed(&key(&signs_by)),
        folder.into(),
    ));
}

async fn pose(announces: [u8; 32], signs_by: BoxKey, folder: PathBuf) {
    let listener = TcpListener::bind(("0.0.0.0", PORT)).await.unwrap();
    let announced = Announced {
        port: PORT,
        key: announces,
    };
    let config = Config {
        name: Some("poser".to_owned()),
        announces: Some(announced),
        ..Config::at(folder.join("node"))
    };
    let (_node, _events) = Node::open(config).await.unwrap();
    let signs_by = Arc::new(signs_by);
    loop {
        let (stream, from) = listener.accept().await.unwrap();
        let from = from.ip().to_string();
        write_down(&folder, &from, json!({"type": "connected"}));
        let (key, folder) = (Arc::clone(&signs_by), folder.clone());
        tokio::spawn(async move { answer(stream, &from, &key, &folder).await });
    }
}

async fn answer(stream: TcpStream, from: &str, key: &BoxKey, folder: &Path) {
    let Ok(mut socket) = tokio_tungstenite::accept_async(stream).await else {
        return;
    };
    while let Some(Ok(message)) = socket.next().await {
        let Message::Text(text) = message else {
            continue;
        };
        let frame: Value = serde_json::from_str(&text).unwrap();
        let nonce = frame["nonce"].as_str().map(str::to_owned);
        write_down(folder, from, frame);
        let Some(nonce) = nonce else { continue };
        let nonce = BASE64.decode(nonce.as_bytes()).unwrap();
        let proof = key.prove(&nonce.try_into().unwrap());
        let reply = json!({
            "v": 1,
            "type": "box",
            "key": BASE64.encode(&key.public()),
            "signature": BASE64.encode(&proof.0),
        });
        let _ = socket.send(Message::text(reply.to_string())).await;
    }
}

fn write_down(folder: &Path, from: &str, mut frame: Value) {
    frame["from"] = from.into();
    let mut file = fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(heard_in(folder))
        .unwrap();
    writeln!(file, "{frame}").unwrap();
}
