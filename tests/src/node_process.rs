//! A `peddlenet-node` process, driven through its JSON lines. For tests and benchmarks.
//!
//! ```text
//!  request() --- stdin ---> peddlenet-node --- stdout ---> reader thread ---> Inbox
//!  wait_for_event() <---------------- woken by each line -------------------- events, replies
//! ```
//!
//! Every wait has a deadline and a name for what it waits for; what happened instead is in the error.
//! A process that is dropped is killed. Nothing here sleeps or polls.

use std::{
    collections::HashMap,
    io::{BufRead, BufReader, Write},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, ExitStatus, Stdio},
    sync::{
        Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, Result, anyhow, bail, ensure};
use serde_json::{Value, json};

use crate::programs::find_or_build;

/// How long anything may take before it counts as not happening: far beyond what a busy machine of
/// two cores needs.
pub const DEADLINE: Duration = Duration::from_secs(60);
/// Events that an error shows (count).
const SHOWN: usize = 20;

/// How to start a node.
#[derive(Debug, Clone)]
pub struct Launch {
    /// The person's folder: `--data` is `profile` in it, and its key beside that.
    pub data: PathBuf,
    /// `--name`.
    pub name: String,
    /// `--listen`, once for each; empty leaves the choice to the node.
    pub listen: Vec<String>,
    /// Further arguments.
    pub extra: Vec<String>,
    /// Further variables of its environment.
    pub env: Vec<(String, String)>,
    /// A file that standard error is appended to; ours when `None`.
    pub stderr: Option<PathBuf>,
    /// A program and its arguments that runs the node's command line, such as `ip netns exec NAME`;
    /// it must become the node, so that the process id is the node's.
    pub prefix: Vec<String>,
    /// How long anything may take before it counts as not happening.
    pub patience: Duration,
}

impl Launch {
    /// A node on a free loopback port.
    pub fn new(name: &str, data: impl Into<PathBuf>) -> Self {
        Self {
            data: data.into(),
            name: name.to_owned(),
            listen: vec!["127.0.0.1:0".to_owned()],
            extra: Vec::new(),
            env: Vec::new(),
            stderr: None,
            prefix: Vec::new(),
            patience: DEADLINE,
        }
    }

    fn command(&self) -> Result<Command> {
        let mut command = match self.prefix.split_first() {
            Some((program, args)) => {
                let mut command = Command::new(program);
                command.args(args).arg(node_binary()?);
                command
            }
            None => Command::new(node_binary()?),
        };
        command.arg("--data").arg(self.data.join("profile"));
        command.args(["--name", &self.name]);
        for addr in &self.listen {
            command.args(["--listen", addr]);
        }
        command.args(&self.extra);
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        if let Some(path) = &self.stderr {
            let file = std::fs::OpenOptions::new()
                .create(true)
                .append(true)
                .open(path)?;
            command.stderr(file);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        Ok(command)
    }

    /// Runs a node that is expected to end by itself, and gives what it said.
    pub fn run_to_end(&self) -> Result<std::process::Output> {
        let mut command = self.command()?;
        command.stdin(Stdio::null()).stderr(Stdio::piped());
        command.output().context("peddlenet-node did not start")
    }
}

/// A line of stdout that is an event.
#[derive(Debug, Clone)]
pub struct NodeEvent {
    /// When the line was read.
    pub at: Instant,
    /// The line.
    pub value: Value,
}

impl NodeEvent {
    /// What the event is called.
    pub fn kind(&self) -> &str {
        self.str("event")
    }

    /// A text field, empty when it is missing.
    pub fn str(&self, key: &str) -> &str {
        str_of(&self.value, key)
    }
}

/// A text field of a JSON object, empty when it is missing.
pub fn str_of<'v>(value: &'v Value, key: &str) -> &'v str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// An error reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The stable code.
    pub code: String,
    /// The sentence.
    pub message: String,
}

/// A running node. Requests and waits take `&self`, so that several threads can drive one process.
pub struct NodeProcess {
    launch: Launch,
    child: Child,
    stdin: Mutex<ChildStdin>,
    inbox: Arc<Inbox>,
    next_id: AtomicU64,
    listen: Vec<SocketAddr>,
}

#[derive(Default)]
struct Inbox {
    received: Mutex<ReceivedLines>,
    changed: Condvar,
}

#[derive(Default)]
struct ReceivedLines {
    events: Vec<NodeEvent>,
    replies: HashMap<u64, Value>,
    /// Replies to lines that carried no id.
    unnumbered: Vec<Value>,
    ended: bool,
}

impl NodeProcess {
    /// Starts a node and waits until it is ready.
    pub fn start(launch: Launch) -> Result<Self> {
        let mut child = launch
            .command()?
            .spawn()
            .context("peddlenet-node did not start")?;
        let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            bail!("peddlenet-node has no pipes");
        };
        let inbox = Arc::new(Inbox::default());
        let reader = Arc::clone(&inbox);
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                reader.take(&line);
            }
            reader.lock().ended = true;
            reader.changed.notify_all();
        });
        let mut node = Self {
            launch,
            child,
            stdin: Mutex::new(stdin),
            inbox,
            next_id: AtomicU64::new(1),
            listen: Vec::new(),
        };
        let ready = node.wait_for_event("ready", |e| e.kind() == "ready")?;
        let listen = ready.value["listen"].as_array().cloned();
        node.listen = listen
            .unwrap_or_default()
            .iter()
            .filter_map(|addr| addr.as_str()?.parse().ok())
            .collect();
        Ok(node)
    }

    /// The addresses that `ready` named.
    pub fn listen(&self) -> &[SocketAddr] {
        &self.listen
    }

    /// The person's folder.
    pub fn data(&self) -> &Path {
        &self.launch.data
    }

    /// What it is called.
    pub fn name(&self) -> &str {
        &self.launch.name
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends a request and waits for its reply. `fields` is an object without `cmd` and `id`.
    pub fn request(&self, cmd: &str, fields: Value) -> Result<Result<Value, Failure>> {
        let id = self.post(cmd, fields)?;
        self.reply(id)
    }

    /// Sends a request that must succeed.
    pub fn ok(&self, cmd: &str, fields: Value) -> Result<Value> {
        self.request(cmd, fields)?
            .map_err(|f| anyhow!("{}: {cmd}: {f:?}", self.launch.name))
    }

    /// Sends a request without waiting. [`reply`](Self::reply) fetches the answer.
    pub fn post(&self, cmd: &str, mut fields: Value) -> Result<u64> {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let object = fields.as_object_mut().context("fields are an object")?;
        object.insert("cmd".to_owned(), cmd.into());
        object.insert("id".to_owned(), id.into());
        self.raw_line(fields.to_string().as_bytes())?;
        Ok(id)
    }

    /// Waits for the reply to a posted request.
    pub fn reply(&self, id: u64) -> Result<Result<Value, Failure>> {
        let reply = self.wait(&format!("the reply to request {id}"), |r| {
            r.replies.remove(&id)
        })?;
        outcome(&reply)
    }

    /// The reply to a posted request, if it has come. Also works once the process is dead.
    pub fn try_reply(&self, id: u64) -> Option<Result<Value, Failure>> {
        let reply = self.inbox.lock().replies.remove(&id)?;
        outcome(&reply).ok()
    }

    /// Writes a line as it is; its reply carries no id unless the line does.
    pub fn raw_line(&self, line: &[u8]) -> Result<()> {
        let mut stdin = self.stdin.lock().unwrap_or_else(PoisonError::into_inner);
        stdin.write_all(line)?;
        stdin.write_all(b"\n")?;
        stdin.flush()?;
        Ok(())
    }

    /// Waits for the next reply without an id.
    pub fn unnumbered_reply(&self) -> Result<Result<Value, Failure>> {
        let reply = self.wait("a reply without id", |r| {
            (!r.unnumbered.is_empty()).then(|| r.unnumbered.remove(0))
        })?;
        outcome(&reply)
    }

    /// Waits for an event of this run, whether it has happened already or not.
    pub fn wait_for_event(
        &self,
        what: &str,
        mut wanted: impl FnMut(&NodeEvent) -> bool,
    ) -> Result<NodeEvent> {
        self.wait(what, |r| r.events.iter().find(|e| wanted(e)).cloned())
    }

    /// Waits until the events of this run, in order, satisfy `wanted`.
    pub fn wait_for_events(
        &self,
        what: &str,
        wanted: impl Fn(&[NodeEvent]) -> bool,
    ) -> Result<Vec<NodeEvent>> {
        self.wait(what, |r| wanted(&r.events).then(|| r.events.clone()))
    }

    /// The events of this run so far.
    pub fn events(&self) -> Vec<NodeEvent> {
        self.inbox.lock().events.clone()
    }

    fn wait<T>(
        &self,
        what: &str,
        mut take: impl FnMut(&mut ReceivedLines) -> Option<T>,
    ) -> Result<T> {
        let until = Instant::now() + self.launch.patience;
        let mut received = self.inbox.lock();
        loop {
            if let Some(found) = take(&mut received) {
                return Ok(found);
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() || received.ended {
                let why = if received.ended {
                    "the process ended"
                } else {
                    "time is up"
                };
                let skip = received.events.len().saturating_sub(SHOWN);
                let last: Vec<_> = received
                    .events
                    .iter()
                    .skip(skip)
                    .map(|e| &e.value)
                    .collect();
                bail!(
                    "{} waited for {what}: {why}. Last events: {last:#?}",
                    self.launch.name
                );
            }
            received = self
                .inbox
                .changed
                .wait_timeout(received, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }

    /// Whether the process still runs.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Waits until the process has ended by itself.
    pub fn wait_for_end(&mut self) -> Result<ExitStatus> {
        let until = Instant::now() + self.launch.patience;
        let mut received = self.inbox.lock();
        while !received.ended {
            let left = until.saturating_duration_since(Instant::now());
            ensure!(!left.is_zero(), "{} does not end", self.launch.name);
            received = self
                .inbox
                .changed
                .wait_timeout(received, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        drop(received);
        Ok(self.child.wait()?)
    }

    /// SIGSTOP: the device sleeps. Nothing can be asked of it until it [wakes](Self::wake).
    pub fn sleep(&self) -> Result<()> {
        self.signal("-STOP")
    }

    /// SIGCONT.
    pub fn wake(&self) -> Result<()> {
        self.signal("-CONT")
    }

    fn signal(&self, which: &str) -> Result<()> {
        let sent = Command::new("kill")
            .args([which, &self.pid().to_string()])
            .status()?;
        ensure!(sent.success(), "kill {which}: {sent}");
        Ok(())
    }

    /// SIGKILL, and waits until the process is gone and its last line is read.
    pub fn kill(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        let mut received = self.inbox.lock();
        while !received.ended {
            received = self
                .inbox
                .changed
                .wait(received)
                .unwrap_or_else(PoisonError::into_inner);
        }
        Ok(())
    }

    /// Starts again on the same data folder and the same ports. The process must be dead.
    pub fn restart(self) -> Result<Self> {
        let listen = self.listen.iter().map(ToString::to_string).collect();
        self.restart_on(listen)
    }

    /// Starts again on the same data folder, listening elsewhere.
    pub fn restart_on(mut self, listen: Vec<String>) -> Result<Self> {
        ensure!(!self.is_running(), "{} still runs", self.launch.name);
        Self::start(Launch {
            listen,
            ..self.launch.clone()
        })
    }

    /// Asks the node to end, and waits until it has.
    pub fn quit(mut self) -> Result<ExitStatus> {
        self.ok("quit", json!({}))?;
        Ok(self.child.wait()?)
    }
}

impl Drop for NodeProcess {
    fn drop(&mut self) {
        // Gone already is fine.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Inbox {
    fn take(&self, line: &str) {
        let at = Instant::now();
        // A line that a kill cut off is none.
        let Ok(value) = serde_json::from_str::<Value>(line) else {
            return;
        };
        let mut received = self.lock();
        if value.get("event").is_some() {
            received.events.push(NodeEvent { at, value });
        } else if let Some(id) = value.get("id").and_then(Value::as_u64) {
            received.replies.insert(id, value);
        } else {
            received.unnumbered.push(value);
        }
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, ReceivedLines> {
        self.received.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn outcome(reply: &Value) -> Result<Result<Value, Failure>> {
    if let Some(ok) = reply.get("ok") {
        return Ok(Ok(ok.clone()));
    }
    let error = reply
        .get("error")
        .with_context(|| format!("neither ok nor error: {reply}"))?;
    Ok(Err(Failure {
        code: str_of(error, "code").to_owned(),
        message: str_of(error, "message").to_owned(),
    }))
}

/// Where `peddlenet-node` lies. `PEDDLENET_NODE=PATH` names a program to use as it is.
///
/// # Errors
/// It can't be built.
pub fn node_binary() -> Result<&'static Path> {
    static FOUND: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let find = || find_or_build("PEDDLENET_NODE", "peddlenet-node");
    match FOUND.get_or_init(|| find().map_err(|e| format!("{e:#}"))) {
        Ok(path) => Ok(path),
        Err(why) => Err(anyhow!("no peddlenet-node: {why}")),
    }
}
