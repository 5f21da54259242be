//! The devices: cheap WebSockets on loopback, many to a task.

use std::mem::take;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use data_encoding::BASE64;
use futures_util::stream::FuturesUnordered;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

type Socket = WebSocketStream<TcpStream>;

/// Devices that share a task, and a source address.
const A_TASK: usize = 100;
const AN_ADDRESS: usize = 16;
/// Connections that are being made at a time.
const AT_ONCE: usize = 32;
/// How long one thing may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// Bytes of a message before base64: a sealed offer's size.
const PAYLOAD: usize = 600;
/// Between echoes of the probe.
const ECHO_EVERY: Duration = Duration::from_millis(10);
/// What is still on its way when the talk ends.
const DRAIN: Duration = Duration::from_secs(2);

/// Hands out servers, source addresses and tags, so that neighbours share a tag and, with several servers, are on
/// different ones.
pub(super) struct Places {
    servers: Vec<SocketAddr>,
    given: usize,
}

struct Place {
    server: SocketAddr,
    source: Ipv4Addr,
    tag: String,
}

impl Places {
    pub(super) fn new(servers: Vec<SocketAddr>) -> Self {
        Self { servers, given: 0 }
    }

    fn next(&mut self) -> Result<Place> {
        let at = self.given;
        self.given += 1;
        let server = self.servers.get(at % self.servers.len().max(1));
        let address = at / AN_ADDRESS;
        Ok(Place {
            server: *server.context("no server")?,
            source: Ipv4Addr::new(
                127,
                1,
                u8::try_from(address / 250)?,
                u8::try_from(address % 250)? + 1,
            ),
            tag: format!("{:032x}", at / 2),
        })
    }
}

/// Connects and joins.
async fn join(place: Place) -> Result<(Socket, String)> {
    let joined = timeout(PATIENCE, async {
        let mut socket = connect(&place).await?;
        let join = json!({"v": 1, "type": "join", "tag": place.tag});
        socket.send(Message::Text(join.to_string().into())).await?;
        let answer = text(&mut socket).await?;
        ensure!(answer["type"] == "joined", "{answer}");
        Ok(socket)
    });
    Ok((joined.await.context("a device can't join")??, place.tag))
}

async fn connect(place: &Place) -> Result<Socket> {
    let socket = TcpSocket::new_v4()?;
    socket.bind((place.source, 0).into())?;
    let stream = socket.connect(place.server).await?;
    stream.set_nodelay(true)?;
    let small = WebSocketConfig::default()
        .read_buffer_size(2048)
        .write_buffer_size(0);
    let url = format!("ws://{}/v1", place.server);
    let (socket, _) = client_async_with_config(url, stream, Some(small)).await?;
    Ok(socket)
}

/// The next JSON.
async fn text(socket: &mut Socket) -> Result<Value> {
    loop {
        match socket.next().await.context("the connection ended")?? {
            Message::Text(text) => return Ok(serde_json::from_str(&text)?),
            Message::Ping(_) | Message::Pong(_) => {}
            other => bail!("the server says {other:?}"),
        }
    }
}

/// Connects many, some at a time.
async fn join_all(places: &mut Places, count: usize) -> Result<Vec<(Socket, String)>> {
    let (mut joining, mut joined) = (JoinSet::new(), Vec::with_capacity(count));
    for _ in 0..count {
        if joining.len() >= AT_ONCE {
            joined.push(joining.join_next().await.context("nobody joins")???);
        }
        joining.spawn(join(places.next()?));
    }
    while let Some(one) = joining.join_next().await {
        joined.push(one??);
    }
    Ok(joined)
}

/// Devices that only answer pings.
pub(super) struct Idle {
    _tasks: JoinSet<()>,
    gone: Arc<AtomicUsize>,
}

impl Idle {
    pub(super) async fn connect(places: &mut Places, count: usize) -> Result<Self> {
        let (mut tasks, gone) = (JoinSet::new(), Arc::new(AtomicUsize::new(0)));
        let mut left = count;
        while left > 0 {
            let some = left.min(A_TASK);
            left -= some;
            let sockets = join_all(places, some).await?;
            let gone = Arc::clone(&gone);
            tasks.spawn(async move {
                // Reading is what answers pings.
                let ends = sockets.into_iter().map(
                    async |(mut socket, _)| {
                        while let Some(Ok(_)) = socket.next().await {}
                    },
                );
                let mut ends: FuturesUnordered<_> = ends.collect();
                while ends.next().await.is_some() {
                    gone.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        Ok(Self {
            _tasks: tasks,
            gone,
        })
    }

    /// How many have ended.
    pub(super) fn gone(&self) -> usize {
        self.gone.load(Ordering::Relaxed)
    }
}

/// What arrived in a window.
#[derive(Default)]
pub(super) struct Heard {
    /// Of relayed messages.
    pub(super) relayed: Vec<Duration>,
    /// Of the probe's echoes.
    pub(super) echoed: Vec<Duration>,
}

/// Pairs of which one speaks and one listens.
pub(super) struct Talk {
    tasks: JoinSet<Result<()>>,
    heard: Arc<Mutex<Heard>>,
    sent: Arc<AtomicU64>,
    received: Arc<AtomicU64>,
    over: Arc<AtomicBool>,
}

impl Talk {
    pub(super) async fn start(places: &mut Places, pairs: usize, per_second: u32) -> Result<Self> {
        // A tag is two neighbours'.
        if places.given % 2 == 1 {
            places.next()?;
        }
        let mut talk = Self {
            tasks: JoinSet::new(),
            heard: Arc::default(),
            sent: Arc::default(),
            received: Arc::default(),
            over: Arc::default(),
        };
        let epoch = Instant::now();
        let every = Duration::from_secs(1) / per_second;
        for pair in 0..pairs {
            let (speaker, tag) = join(places.next()?).await?;
            let (listener, _) = join(places.next()?).await?;
            let first = every.mul_f64(pair as f64 / pairs as f64);
            let (over, sent) = (Arc::clone(&talk.over), Arc::clone(&talk.sent));
            talk.tasks
                .spawn(speak(speaker, tag, epoch, first, every, over, sent));
            let (heard, received) = (Arc::clone(&talk.heard), Arc::clone(&talk.received));
            let over = Arc::clone(&talk.over);
            talk.tasks
                .spawn(listen(listener, epoch, heard, received, over));
        }
        let heard = Arc::clone(&talk.heard);
        talk.tasks.spawn(echo(heard, Arc::clone(&talk.over)));
        Ok(talk)
    }

    /// What has arrived since this was last asked.
    pub(super) fn take(&self) -> Heard {
        take(&mut *lock(&self.heard))
    }

    /// Ends it; returns how many messages never arrived.
    pub(super) async fn stop(mut self) -> Result<u64> {
        self.over.store(true, Ordering::Relaxed);
        let until = Instant::now() + DRAIN;
        while let Some(ended) = self.tasks.join_next().await {
            ended??;
            if Instant::now() > until + PATIENCE {
                bail!("the talk does not end");
            }
        }
        let (sent, received) = (&self.sent, &self.received);
        Ok(sent
            .load(Ordering::Relaxed)
            .saturating_sub(received.load(Ordering::Relaxed)))
    }
}

async fn speak(
    mut socket: Socket,
    tag: String,
    epoch: Instant,
    first: Duration,
    every: Duration,
    over: Arc<AtomicBool>,
    sent: Arc<AtomicU64>,
) -> Result<()> {
    sleep(first).await;
    let mut tick = interval(every);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while !over.load(Ordering::Relaxed) {
        tokio::select! {
            _ = tick.tick() => {
                let mut payload = vec![0; PAYLOAD];
                let now = u64::try_from(epoch.elapsed().as_nanos())?;
                payload.splice(..8, now.to_be_bytes());
                let data = BASE64.encode(&payload);
                let frame = json!({"v": 1, "type": "send", "tag": tag, "data": data});
                socket.send(Message::Text(frame.to_string().into())).await?;
                sent.fetch_add(1, Ordering::Relaxed);
            }
            // Pings are answered; anything else is a refusal.
            said = text(&mut socket) => bail!("a speaker hears {}", said?),
        }
    }
    // What it said last may not be lost with its connection.
    let _ = timeout(DRAIN, text(&mut socket)).await;
    Ok(())
}

async fn listen(
    mut socket: Socket,
    epoch: Instant,
    heard: Arc<Mutex<Heard>>,
    received: Arc<AtomicU64>,
    over: Arc<AtomicBool>,
) -> Result<()> {
    let mut since_over = None;
    loop {
        if let Ok(message) = timeout(Duration::from_millis(200), text(&mut socket)).await {
            let message = message?;
            let now = epoch.elapsed();
            let data = message["data"].as_str().context("no data")?;
            let payload = BASE64.decode(data.as_bytes())?;
            let (sent, _) = payload.split_first_chunk().context("too short")?;
            let sent = Duration::from_nanos(u64::from_be_bytes(*sent));
            lock(&heard).relayed.push(now.saturating_sub(sent));
            received.fetch_add(1, Ordering::Relaxed);
        }
        if over.load(Ordering::Relaxed)
            && since_over.get_or_insert_with(Instant::now).elapsed() >= DRAIN
        {
            return Ok(());
        }
    }
}

/// A byte there and back over plain TCP, within this process.
async fn echo(heard: Arc<Mutex<Heard>>, over: Arc<AtomicBool>) -> Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    let echoing = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let mut byte = [0];
        while stream.read_exact(&mut byte).await.is_ok() {
            stream.write_all(&byte).await?;
        }
        Ok::<_, std::io::Error>(())
    });
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let mut byte = [0];
    while !over.load(Ordering::Relaxed) {
        let sent = Instant::now();
        stream.write_all(&byte).await?;
        stream.read_exact(&mut byte).await?;
        lock(&heard).echoed.push(sent.elapsed());
        sleep(ECHO_EVERY).await;
    }
    drop(stream);
    Ok(echoing.await??)
}

/// Opens connections that send half a request; returns how many the server has closed, and, once all are, how long the
/// last one lasted.
pub(super) async fn half_open(
    server: SocketAddr,
    count: usize,
    patience: Duration,
) -> Result<(usize, Option<Duration>)> {
    let mut waiting = JoinSet::new();
    for at in 0..count {
        let socket = TcpSocket::new_v4()?;
        let source = Ipv4Addr::new(127, 2, 0, u8::try_from(at / AN_ADDRESS)? + 1);
        socket.bind((source, 0).into())?;
        let mut stream = socket.connect(server).await?;
        stream
            .write_all(b"GET /v1 HTTP/1.1\r\nHost: here\r\nUpgr")
            .await?;
        let opened = Instant::now();
        waiting.spawn(async move {
            let mut answer = [0; 512];
            let closed = async { while stream.read(&mut answer).await.is_ok_and(|n| n > 0) {} };
            timeout(patience, closed)
                .await
                .ok()
                .map(|()| opened.elapsed())
        });
    }
    let (mut closed, mut last) = (0, Duration::ZERO);
    while let Some(ended) = waiting.join_next().await {
        if let Some(took) = ended? {
            closed += 1;
            last = last.max(took);
        }
    }
    Ok((closed, (closed == count).then_some(last)))
}

fn lock(heard: &Mutex<Heard>) -> MutexGuard<'_, Heard> {
    heard.lock().unwrap_or_else(PoisonError::into_inner)
}
