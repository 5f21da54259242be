//! `bench join`: from the scanned link to an open channel, and to the first message shown.
//!
//! Two `peddlenet-node` processes a run on loopback: one makes a room, says something and shows a
//! code; the other is handed the code's text, as a scanner would hand it over. The clock starts
//! there. `scan_to_open` ends with the joiner's `link up` event (WebRTC open, both certificates and
//! the Noise handshake checked), `scan_to_first_message` with its first `message` event (admitted,
//! keys received, history fetched, verified and saved).
//!
//! Beside it, in turn: two peer connections of the same WebRTC stack with its default settings,
//! offer and answer handed over in memory, so without what a server in between would cost.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use webrtc::{
    data_channel::DataChannelEvent,
    peer_connection::{
        MediaEngine, PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler,
        RTCIceGatheringState,
    },
};

use crate::node_process::{Launch, NodeProcess};

/// Runs where nothing else is asked.
pub const RUNS: usize = 20;
const DEADLINE: Duration = Duration::from_secs(20);

/// One joiner's times.
struct Scan {
    open_ms: f64,
    first_message_ms: f64,
}

/// Joins `runs` times with fresh devices; a row for ours, one for the stock stack.
///
/// # Errors
/// A process can't be started, or a join does not end well.
pub fn run(runs: usize) -> Result<Vec<Value>> {
    ensure!(runs > 0, "at least one run");
    let runtime = tokio::runtime::Runtime::new()?;
    let (mut opens, mut messages, mut stock) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..runs {
        let scan = scan()?;
        opens.push(scan.open_ms);
        messages.push(scan.first_message_ms);
        stock.push(runtime.block_on(stock_open())?);
    }
    Ok(vec![
        json!({
            "bench": "join",
            "subject": "ours",
            "runs": runs,
            "scan_to_open_p50_ms": percentile(&mut opens, 50),
            "scan_to_open_p95_ms": percentile(&mut opens, 95),
            "scan_to_first_message_p50_ms": percentile(&mut messages, 50),
            "scan_to_first_message_p95_ms": percentile(&mut messages, 95),
        }),
        json!({
            "bench": "join",
            "subject": "stock webrtc, signalled in memory",
            "runs": runs,
            "scan_to_open_p50_ms": percentile(&mut stock, 50),
            "scan_to_open_p95_ms": percentile(&mut stock, 95),
        }),
    ])
}

fn scan() -> Result<Scan> {
    let folder = tempfile::tempdir()?;
    let device = |name: &str| NodeProcess::start(Launch::new(name, folder.path().join(name)));
    let (inviter, joiner) = (device("inviter")?, device("joiner")?);
    let room = inviter.ok("create_room", json!({"name": "bench"}))?["room"].clone();
    inviter.ok("send", json!({"room": room, "text": "who is first?"}))?;
    let link = inviter.ok("invite", json!({"room": room}))?["link"].clone();
    let start = Instant::now();
    let join = joiner.post("join", json!({"link": link}))?;
    let since = |event: crate::node_process::NodeEvent| {
        event.at.saturating_duration_since(start).as_secs_f64() * 1000.0
    };
    let up = joiner.wait_for_event("the link to come up", |e| e.kind() == "link")?;
    let first = joiner.wait_for_event("the first message", |e| e.kind() == "message")?;
    let joined = joiner.reply(join)?;
    ensure!(joined.is_ok(), "the join failed: {joined:?}");
    Ok(Scan {
        open_ms: since(up),
        first_message_ms: since(first),
    })
}

/// Milliseconds until a channel of two stock peer connections is open.
async fn stock_open() -> Result<f64> {
    let start = Instant::now();
    let (offerer, mut offerer_gathered) = stock_peer().await?;
    let (answerer, mut answerer_gathered) = stock_peer().await?;
    let channel = offerer.create_data_channel("bench", None).await?;
    let offer = offerer.create_offer(None).await?;
    offerer.set_local_description(offer).await?;
    offerer_gathered
        .recv()
        .await
        .context("no addresses gathered")?;
    let offer = offerer.local_description().await.context("no offer")?;
    answerer.set_remote_description(offer).await?;
    let answer = answerer.create_answer(None).await?;
    answerer.set_local_description(answer).await?;
    answerer_gathered
        .recv()
        .await
        .context("no addresses gathered")?;
    let answer = answerer.local_description().await.context("no answer")?;
    offerer.set_remote_description(answer).await?;
    let opened = async {
        while let Some(event) = channel.poll().await {
            if matches!(event, DataChannelEvent::OnOpen) {
                return Some(());
            }
        }
        None
    };
    tokio::time::timeout(DEADLINE, opened)
        .await?
        .context("the channel closed")?;
    let elapsed = start.elapsed().as_secs_f64() * 1000.0;
    offerer.close().await?;
    answerer.close().await?;
    Ok(elapsed)
}

async fn stock_peer() -> Result<(Arc<dyn PeerConnection>, mpsc::Receiver<()>)> {
    let (gathered, done) = mpsc::channel(1);
    let peer = PeerConnectionBuilder::new()
        .with_media_engine(MediaEngine::default())
        .with_handler(Arc::new(Gathered(gathered)))
        .with_udp_addrs(vec!["127.0.0.1:0".to_owned()])
        .build()
        .await?;
    Ok((Arc::new(peer), done))
}

/// Tells when a stock peer knows its addresses.
struct Gathered(mpsc::Sender<()>);

#[async_trait::async_trait]
impl PeerConnectionEventHandler for Gathered {
    async fn on_ice_gathering_state_change(&self, state: RTCIceGatheringState) {
        if state == RTCIceGatheringState::Complete {
            let _ = self.0.try_send(());
        }
    }
}

fn percentile(values: &mut [f64], percent: usize) -> f64 {
    values.sort_by(f64::total_cmp);
    let at = (values.len() * percent)
        .div_ceil(100)
        .clamp(1, values.len());
    (values[at - 1] * 10.0).round() / 10.0
}
