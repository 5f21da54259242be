//! What hostile peers at line rate cost a real node, and what honest ones notice of it.
//!
//! ```text
//!   Bea 127.0.0.1 ---- peddlenet-node: Ada (attacked), both families ---- Cyd [::1]
//!                              ^
//!                      hostile_peer (a process of its own, nice 19)
//! ```
//!
//! Bea and Cyd share no address family, so what they say passes through Ada. The same chat is
//! measured before the attack and during it, in one run. The attacker runs with the lowest priority,
//! since in life it brings its own processor. `run` is what the test, the soak and `bench security`
//! call.

pub mod attack;

use std::{
    fs,
    net::{Ipv4Addr, Ipv6Addr, UdpSocket},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, anyhow, ensure};
use peddlenet_mesh::{Config, Event, Events, Node, Reach, Receipts, RoomId};
use serde_json::{Value, json};

use crate::node_process::{DEADLINE, Launch, NodeProcess};

/// Messages each of the two says a second.
const PACE: Duration = Duration::from_millis(50);
/// How often the attacked process's memory is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// Messages in one page (count).
const PAGE: usize = 500;
/// How long late messages are waited for after a chat and the attack on it: an engine that was promised
/// what it did not get asks that neighbour for nothing during a minute.
const LATE: Duration = Duration::from_secs(180);

/// Who attacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attack {
    /// Nobody who holds a key: garbage, malformed STUN, first packets by wrong keys and replayed.
    Stranger,
    /// Holds a photo of a code: opens links half, and links on which it asks for nothing.
    Photo,
    /// A member: excess of valid events, wants, announcements, tiny frames; forged ones, garbage.
    Member,
}

impl Attack {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Stranger, Self::Photo, Self::Member];

    /// Its name on the command line of `hostile_peer`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Stranger => "stranger",
            Self::Photo => "photo",
            Self::Member => "member",
        }
    }
}

/// What came of an attack.
#[derive(Debug, Clone)]
pub struct Report {
    /// Who attacked.
    pub attack: Attack,
    /// For how long.
    pub seconds: u64,
    /// Memory of the attacked process before, at its highest, and afterwards (VmRSS, bytes).
    pub memory: [u64; 3],
    /// From `send` to the reader through the attacked node, before the attack (ms): p50, p99.
    pub calm: [f64; 2],
    /// The same during the attack.
    pub under_attack: [f64; 2],
    /// The slowest one during the attack (ms).
    pub slowest: f64,
    /// Messages said during the attack, and of those that arrived.
    pub said: usize,
    /// See [`said`](Self::said).
    pub heard: usize,
    /// Of those, what came as history, after the attack, and is in no percentile.
    pub history: usize,
    /// Bytes by which the attacked node's folder grew while nobody spoke and the attack went on.
    pub disk: u64,
    /// Processors that the attacked node was busy on during the attack.
    pub busy: f64,
    /// What the attacker says it sent, and what the attacked node counted.
    pub counters: Value,
}

impl Report {
    /// Memory that the attack took at its highest (bytes).
    pub fn growth(&self) -> u64 {
        self.memory[1].saturating_sub(self.memory[0])
    }

    /// A row for `bench security`.
    pub fn row(&self) -> Value {
        let [calm_p50, calm_p99] = self.calm;
        let [p50, p99] = self.under_attack;
        json!({
            "bench": "security",
            "scenario": "hostile",
            "attack": self.attack.name(),
            "seconds": self.seconds,
            "memory_growth_bytes": self.growth(),
            "memory_after_bytes": self.memory[2].saturating_sub(self.memory[0]),
            "calm_p50_ms": calm_p50,
            "calm_p99_ms": calm_p99,
            "p50_ms": p50,
            "p99_ms": p99,
            "slowest_ms": self.slowest,
            "p99_ratio": if calm_p99 > 0.0 { p99 / calm_p99 } else { 0.0 },
            "said": self.said,
            "heard": self.heard,
            "of_history": self.history,
            "disk_bytes": self.disk,
            "busy_cores": self.busy,
        })
    }
}

/// Lets `attack` go on for so many seconds of chat (and a few more), against a node of its own.
/// `attacker` is the program `hostile_peer`.
pub fn run(attacker: &Path, attack: Attack, seconds: u64) -> Result<Report> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let scene = runtime.block_on(Scene::new())?;
    let report = runtime.block_on(scene.suffer(attacker, attack, seconds));
    runtime.shutdown_timeout(Duration::from_secs(5));
    report
}

/// An honest device in this process.
struct Honest {
    node: Node,
    events: Events,
    _data: tempfile::TempDir,
}

struct Scene {
    ada: NodeProcess,
    bea: Honest,
    cyd: Honest,
    room: RoomId,
    /// For the photograph.
    code: String,
    said: usize,
    data: tempfile::TempDir,
}

impl Scene {
    async fn new() -> Result<Self> {
        let data = tempfile::tempdir()?;
        let port = port_in_both()?;
        let mut launch = Launch::new("Ada", data.path().join("ada"));
        launch.listen = vec![format!("127.0.0.1:{port}"), format!("[::1]:{port}")];
        let (ada, room, code) = tokio::task::spawn_blocking(move || -> Result<_> {
            let ada = NodeProcess::start(launch)?;
            let room = ada.ok("create_room", json!({"name": "Siege"}))?;
            let room = room["room"].as_str().context("a room")?.to_owned();
            let fields = json!({"room": room, "ttl_s": 3600, "uses": 100_000});
            let code = ada.ok("invite", fields)?;
            let code = code["link"].as_str().context("a link")?.to_owned();
            Ok((ada, room, code))
        })
        .await??;
        let bea = Honest::new("Bea", "127.0.0.1:0").await?;
        let cyd = Honest::new("Cyd", "[::1]:0").await?;
        let joined = bea.node.join(&code).await.map_err(|e| anyhow!("{e:?}"))?;
        cyd.node.join(&code).await.map_err(|e| anyhow!("{e:?}"))?;
        ensure!(joined.room.to_string() == room, "another room");
        let mut scene = Self {
            ada,
            bea,
            cyd,
            room: joined.room,
            code,
            said: 0,
            data,
        };
        scene.settle().await?;
        Ok(scene)
    }

    /// Waits until each of the two knows the other, and warms the way.
    async fn settle(&mut self) -> Result<()> {
        let until = Instant::now() + DEADLINE;
        for (device, other) in [(&self.bea, "Cyd"), (&self.cyd, "Bea")] {
            loop {
                let members = device.node.members(self.room).await;
                let members = members.map_err(|e| anyhow!("{e:?}"))?;
                let far =
                    |m: &peddlenet_mesh::Member| m.name == other && m.state == Reach::Reachable;
                if members.iter().any(far) {
                    break;
                }
                ensure!(Instant::now() < until, "{other} is not in reach");
                tokio::time::sleep(LOOK_EVERY).await;
            }
        }
        self.chat(Duration::from_secs(2), None).await.map(drop)
    }

    async fn suffer(mut self, attacker: &Path, attack: Attack, seconds: u64) -> Result<Report> {
        let span = Duration::from_secs(seconds);
        let calm = self.chat(span, None).await?;
        tokio::time::sleep(Duration::from_secs(1)).await;
        let before = memory(self.ada.pid())?;
        let watch = Watch::new(self.ada.pid());
        let busy = (processor(self.ada.pid())?, Instant::now());

        let quiet = Duration::from_secs(3);
        let mut process = Attacker::start(
            attacker,
            attack,
            span + quiet + LATE,
            &self.code,
            self.data.path(),
        )?;
        // First nobody speaks: what reaches the disk then is the attacker's doing.
        tokio::time::sleep(quiet / 2).await;
        let disk = size_of(self.ada.data())?;
        tokio::time::sleep(quiet / 2).await;
        let disk = size_of(self.ada.data())?.saturating_sub(disk);
        let under_attack = self.chat(span, Some(&mut process)).await?;
        let busy = (processor(self.ada.pid())? - busy.0) / busy.1.elapsed().as_secs_f64();
        let sent = process.said();
        let timeline = watch.stop();
        let highest = timeline.iter().copied().max().unwrap_or_default();
        tokio::time::sleep(Duration::from_secs(5)).await;
        let after = memory(self.ada.pid())?;
        let ada = self.ada;
        let stats = tokio::task::spawn_blocking(move || ada.ok("stats", json!({}))).await??;
        for honest in [self.bea, self.cyd] {
            honest.node.close().await;
        }
        Ok(Report {
            attack,
            seconds,
            memory: [before, highest.max(after), after],
            calm: calm.percentiles(),
            under_attack: under_attack.percentiles(),
            slowest: under_attack.delays_ms.iter().copied().fold(0.0, f64::max),
            said: under_attack.said,
            heard: under_attack.delays_ms.len() + under_attack.history,
            history: under_attack.history,
            disk,
            busy,
            counters: json!({
                "memory_mib_each_second": timeline
                    .iter()
                    .step_by(20)
                    .map(|bytes| bytes >> 20)
                    .collect::<Vec<_>>(),
                "links_up": stats["links_up"],
                "links_down": stats["links_down"],
                "sent": sent,
                "expelled": stats["expelled"],
                "misbehaved": stats["misbehaved"],
                "turned_away": stats["turned_away"],
                "frames_in": stats["frames_in"],
                "overflow": stats["overflow"],
                "refused": stats["refused"],
                "signatures_checked": stats["signatures_checked"],
            }),
        })
    }

    /// Both talk for a while, and listen.
    /// The attack ends with what they say, and what is still on its way then is waited for.
    async fn chat(&mut self, span: Duration, mut attacker: Option<&mut Attacker>) -> Result<Chat> {
        let mut chat = Chat::default();
        let (mut sent, started) = (std::collections::HashMap::new(), Instant::now());
        let mut pace = tokio::time::interval(PACE);
        loop {
            let speaking = started.elapsed() < span;
            if !speaking && let Some(attacker) = attacker.take() {
                attacker.stop();
            }
            if !speaking && (sent.is_empty() || started.elapsed() > span + LATE) {
                break;
            }
            tokio::select! {
                _ = pace.tick(), if speaking => {
                    for device in [&self.bea, &self.cyd] {
                        self.said += 1;
                        let text = format!("message {}", self.said);
                        sent.insert(text.clone(), Instant::now());
                        let said = device.node.send(self.room, &text).await;
                        said.map_err(|e| anyhow!("{e:?}"))?;
                        chat.said += 1;
                    }
                }
                event = self.bea.events.recv() => chat.hear(event, &mut sent)?,
                event = self.cyd.events.recv() => chat.hear(event, &mut sent)?,
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
        }
        // What came as history was told by no event of its own, and is there all the same.
        for device in [&self.bea, &self.cyd] {
            let mut before = None;
            while !sent.is_empty() {
                let page = device.node.history(self.room, before, PAGE).await;
                let page = page.map_err(|e| anyhow!("{e:?}"))?;
                before = page.first().map(|message| message.id);
                for message in page.iter().filter(|message| !message.mine) {
                    chat.history += usize::from(sent.remove(&message.text).is_some());
                }
                if page.is_empty() {
                    break;
                }
            }
        }
        Ok(chat)
    }
}

impl Honest {
    async fn new(name: &str, listen: &str) -> Result<Self> {
        let data = tempfile::tempdir()?;
        let config = Config {
            name: Some(name.to_owned()),
            listen: vec![listen.parse()?],
            receipts: Receipts::OnDelivery,
            ..Config::at(data.path().join("profile"))
        };
        let (node, events) = Node::open(config).await.map_err(|e| anyhow!("{e:?}"))?;
        Ok(Self {
            node,
            events,
            _data: data,
        })
    }
}

#[derive(Default)]
struct Chat {
    said: usize,
    /// Messages that came as history.
    history: usize,
    delays_ms: Vec<f64>,
}

impl Chat {
    fn hear(
        &mut self,
        event: Option<Event>,
        sent: &mut std::collections::HashMap<String, Instant>,
    ) -> Result<()> {
        if let Event::Message(message) = event.context("a node closed")?
            && !message.mine
            && let Some(at) = sent.remove(&message.text)
        {
            self.delays_ms.push(at.elapsed().as_secs_f64() * 1000.0);
        }
        Ok(())
    }

    fn percentiles(&self) -> [f64; 2] {
        let mut sorted = self.delays_ms.clone();
        sorted.sort_by(f64::total_cmp);
        let at = |part: usize| sorted.get((sorted.len() * part) / 100).copied();
        [at(50).unwrap_or(f64::NAN), at(99).unwrap_or(f64::NAN)]
    }
}

/// The attacking process.
struct Attacker {
    child: Child,
    said: std::path::PathBuf,
}

impl Attacker {
    fn start(
        program: &Path,
        attack: Attack,
        span: Duration,
        code: &str,
        folder: &Path,
    ) -> Result<Self> {
        let said = folder.join("attacker.txt");
        let child = Command::new("nice")
            .args(["-n", "19"])
            .arg(program)
            .args([attack.name(), code, &span.as_secs().to_string()])
            .stdin(Stdio::piped())
            .stdout(fs::File::create(&said)?)
            .spawn()
            .context("the attacker did not start")?;
        Ok(Self { child, said })
    }

    /// What the attacker says it sent.
    fn said(&self) -> String {
        fs::read_to_string(&self.said).unwrap_or_default()
    }

    /// Ends the attack.
    fn stop(&mut self) {
        // Its input ends, so it tells what it did and goes; if not, it is ended.
        drop(self.child.stdin.take());
        let until = Instant::now() + Duration::from_secs(5);
        while Instant::now() < until && matches!(self.child.try_wait(), Ok(None)) {
            std::thread::sleep(LOOK_EVERY);
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Attacker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Looks at a process's memory until stopped.
struct Watch {
    stop: std::sync::mpsc::Sender<()>,
    thread: std::thread::JoinHandle<Vec<u64>>,
}

impl Watch {
    fn new(pid: u32) -> Self {
        let (stop, stopped) = std::sync::mpsc::channel::<()>();
        let thread = std::thread::spawn(move || {
            let mut timeline = Vec::new();
            while let Err(std::sync::mpsc::RecvTimeoutError::Timeout) =
                stopped.recv_timeout(LOOK_EVERY)
            {
                timeline.push(memory(pid).unwrap_or_default());
            }
            timeline
        });
        Self { stop, thread }
    }

    fn stop(self) -> Vec<u64> {
        drop(self.stop);
        self.thread.join().unwrap_or_default()
    }
}

/// Resident memory of a process (bytes).
fn memory(pid: u32) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1));
    Ok(kib.context("no VmRSS")?.parse::<u64>()? * 1024)
}

/// Seconds of processor time that a process has had, in hundredths.
fn processor(pid: u32) -> Result<f64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let (_, fields) = stat.rsplit_once(')').context("no name")?;
    let ticks = fields.split_whitespace().skip(11).take(2);
    let ticks: Result<Vec<f64>, _> = ticks.map(str::parse).collect();
    Ok(ticks?.iter().sum::<f64>() / 100.0)
}

/// Bytes of all files below a folder.
fn size_of(folder: &Path) -> Result<u64> {
    let mut sum = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let meta = entry.metadata()?;
        sum += if meta.is_dir() {
            size_of(&entry.path())?
        } else {
            meta.len()
        };
    }
    Ok(sum)
}

/// A port that is free in both families, since a code names one port.
fn port_in_both() -> Result<u16> {
    for _ in 0..100 {
        let v4 = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = v4.local_addr()?.port();
        if UdpSocket::bind((Ipv6Addr::LOCALHOST, port)).is_ok() {
            return Ok(port);
        }
    }
    Err(anyhow!("no port is free in both families"))
}
