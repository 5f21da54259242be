//! `bench link`: what one link carries, and what a small message waits behind it.
//!
//! Both ends live in this process, on loopback, and take turns with plain UDP (1400-byte datagrams, nothing
//! repeated: what the machine gives) and quinn (one stream, its own congestion control). Frames of each size go
//! one way for a second, while small pings go there and back every few milliseconds. Goodput counts payload that
//! arrived, between its first and its last byte. Rows are medians over the runs.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use peddlenet_peer::{
    Bytes, Dial, Endpoint, EndpointConfig, Gate, GateId, Kind, Lane, Link, ListenerCertificate,
    SendError,
};
use serde_json::{Value, json};
use tokio::net::UdpSocket;

/// Runs that a row is the median of, where nothing else is asked.
pub const RUNS: usize = 5;
const FRAMES: [usize; 3] = [1024, 16 * 1024, 64 * 1024];
const LOAD: Duration = Duration::from_secs(1);
const PING_EVERY: Duration = Duration::from_millis(5);
/// After the load, what is on its way may still arrive.
const DRAIN: Duration = Duration::from_millis(300);
/// Payload of a datagram that crosses any Ethernet.
const UDP_PAYLOAD: usize = 1400;
const SUBJECTS: [&str; 3] = ["ours", "plain udp", "quinn"];

/// One run of one subject.
struct Sample {
    mbit_s: f64,
    pings_ms: Vec<f64>,
}

/// Measures each subject at each frame size; a row for each.
///
/// # Errors
/// A link, a socket or a connection can't be opened on loopback.
pub async fn run(runs: usize) -> Result<Vec<Value>> {
    ensure!(runs > 0, "at least one run");
    let mut samples: Vec<Vec<Sample>> = Vec::new();
    samples.resize_with(SUBJECTS.len() * FRAMES.len(), Vec::new);
    for _ in 0..runs {
        for (at, size) in FRAMES.into_iter().enumerate() {
            let turn = [ours(size).await?, udp(size).await?, quinn(size).await?];
            for (subject, sample) in turn.into_iter().enumerate() {
                samples[at * SUBJECTS.len() + subject].push(sample);
            }
        }
    }
    let rows = samples.into_iter().enumerate().map(|(at, samples)| {
        let goodputs = samples.iter().map(|sample| sample.mbit_s).collect();
        let mut pings = [Vec::new(), Vec::new()];
        for sample in samples {
            pings[0].push(percentile(sample.pings_ms.clone(), 50));
            pings[1].push(percentile(sample.pings_ms, 99));
        }
        let [p50, p99] = pings.map(|values| round(percentile(values, 50)));
        json!({
            "link": SUBJECTS[at % SUBJECTS.len()],
            "frame_bytes": FRAMES[at / SUBJECTS.len()],
            "goodput_mbit_s": round(percentile(goodputs, 50)),
            "ping_p50_ms": p50,
            "ping_p99_ms": p99,
            "runs": runs,
        })
    });
    Ok(rows.collect())
}

async fn ours(size: usize) -> Result<Sample> {
    let gate = Gate {
        id: GateId(1),
        kind: Kind::Invite,
        ice_key: [1; 32],
        psk: [2; 32],
    };
    let (host, mut incoming) = endpoint().await?;
    let (guest, _guest_incoming) = endpoint().await?;
    host.set_gates(vec![gate.clone()]);
    let dial = Dial {
        addrs: host.local_addrs(),
        fingerprint: Some(host.fingerprint()),
        gate,
        deadline: Duration::from_secs(5),
    };
    let dialed = guest.dial(dial).await?;
    let accepted = incoming.recv().await.context("the host closed")?.link;
    let sample = load_link(dialed, accepted, size).await;
    guest.close().await;
    host.close().await;
    sample
}

async fn endpoint() -> Result<(Endpoint, peddlenet_peer::Incoming)> {
    let config = EndpointConfig {
        listen: vec![(Ipv4Addr::LOCALHOST, 0).into()],
        certificate: ListenerCertificate::generate()?,
    };
    Ok(Endpoint::bind(config).await?)
}

async fn load_link(dialed: Link, accepted: Link, size: usize) -> Result<Sample> {
    let (here, mut from_there) = dialed.split();
    let (there, mut from_here) = accepted.split();
    let mut meter = Meter::default();
    let sink = tokio::spawn(async move {
        while let Some(received) = from_here.recv().await {
            match received.lane {
                Lane::Datagram => {
                    let _ = there.try_send(Lane::Datagram, received.bytes);
                }
                _ => meter.count(received.bytes.len()),
            }
        }
        meter
    });
    let echoes = tokio::spawn(async move {
        let mut pings = Vec::new();
        while let Some(received) = from_there.recv().await {
            pings.extend(since(&received.bytes));
        }
        pings
    });
    let loading = here.clone();
    let load = tokio::spawn(async move {
        let frame = bytes_of(size);
        let until = Instant::now() + LOAD;
        while Instant::now() < until {
            loading.send(Lane::Ordered, frame.clone()).await?;
        }
        Ok::<_, SendError>(())
    });
    ping_until(load, async |stamp| {
        let _ = here.try_send(Lane::Datagram, stamp.to_vec());
    })
    .await?;
    here.close();
    sample(&sink.await?, echoes.await?)
}

async fn udp(size: usize) -> Result<Sample> {
    let sink = Arc::new(UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await?);
    let source = Arc::new(UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await?);
    source.connect(sink.local_addr()?).await?;
    let done = Arc::new(AtomicBool::new(false));
    let (sinking, stopping) = (Arc::clone(&sink), Arc::clone(&done));
    let sunk = tokio::spawn(async move {
        let (mut meter, mut buffer) = (Meter::default(), vec![0; 65_536]);
        while !stopping.load(Ordering::Relaxed) {
            let got = tokio::time::timeout(DRAIN, sinking.recv_from(&mut buffer)).await;
            let Ok((len, from)) = got.unwrap_or(Err(std::io::ErrorKind::TimedOut.into())) else {
                continue;
            };
            if len == STAMP {
                let _ = sinking.send_to(&buffer[..len], from).await;
            } else {
                meter.count(len);
            }
        }
        meter
    });
    let (echoing, stopping) = (Arc::clone(&source), Arc::clone(&done));
    let echoes = tokio::spawn(async move {
        let (mut pings, mut buffer) = (Vec::new(), [0; 64]);
        while !stopping.load(Ordering::Relaxed) {
            if let Ok(Ok(len)) = tokio::time::timeout(DRAIN, echoing.recv(&mut buffer)).await {
                pings.extend(since(&buffer[..len]));
            }
        }
        pings
    });
    let sending = Arc::clone(&source);
    let load = tokio::spawn(async move {
        let frame = bytes_of(size);
        let until = Instant::now() + LOAD;
        while Instant::now() < until {
            for datagram in frame.chunks(UDP_PAYLOAD) {
                sending.send(datagram).await?;
            }
        }
        Ok::<_, std::io::Error>(())
    });
    ping_until(load, async |stamp| {
        let _ = source.send(stamp).await;
    })
    .await?;
    done.store(true, Ordering::Relaxed);
    sample(&sunk.await?, echoes.await?)
}

async fn quinn(size: usize) -> Result<Sample> {
    let key = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()])?;
    let certificate = key.cert.der().clone();
    let private = rustls::pki_types::PrivateKeyDer::try_from(key.signing_key.serialize_der())
        .map_err(anyhow::Error::msg)?;
    let server = quinn::ServerConfig::with_single_cert(vec![certificate.clone()], private)?;
    let mut roots = rustls::RootCertStore::empty();
    roots.add(certificate)?;
    let client = quinn::ClientConfig::with_root_certificates(Arc::new(roots))?;
    let any: SocketAddr = (Ipv4Addr::LOCALHOST, 0).into();
    let host = quinn::Endpoint::server(server, any)?;
    let guest = quinn::Endpoint::client(any)?;
    let dialing = guest.connect_with(client, host.local_addr()?, "localhost")?;
    let (here, there) = tokio::join!(dialing, async {
        host.accept()
            .await
            .context("no connection")?
            .await
            .context("accept")
    });
    let (here, there) = (here?, there?);

    let answering = there.clone();
    tokio::spawn(async move {
        while let Ok(datagram) = answering.read_datagram().await {
            let _ = answering.send_datagram(datagram);
        }
    });
    let listening = here.clone();
    let echoes = tokio::spawn(async move {
        let mut pings = Vec::new();
        while let Ok(datagram) = listening.read_datagram().await {
            pings.extend(since(&datagram));
        }
        pings
    });
    let sunk = tokio::spawn(async move {
        let mut meter = Meter::default();
        let mut stream = there.accept_uni().await?;
        while let Some(chunk) = stream.read_chunk(usize::MAX, true).await? {
            meter.count(chunk.bytes.len());
        }
        Ok::<_, anyhow::Error>(meter)
    });
    let mut stream = here.open_uni().await?;
    let load = tokio::spawn(async move {
        let frame = bytes_of(size);
        let until = Instant::now() + LOAD;
        while Instant::now() < until {
            stream.write_all(&frame).await?;
        }
        stream.finish()?;
        stream.stopped().await?;
        Ok::<_, anyhow::Error>(())
    });
    ping_until(load, async |stamp| {
        let _ = here.send_datagram(stamp.to_vec().into());
    })
    .await?;
    let meter = sunk.await??;
    here.close(0u32.into(), b"");
    sample(&meter, echoes.await?)
}

/// Payload that arrived, and when.
#[derive(Default)]
struct Meter {
    bytes: usize,
    first: Option<Instant>,
    last: Option<Instant>,
}

impl Meter {
    fn count(&mut self, len: usize) {
        let now = Instant::now();
        self.first.get_or_insert(now);
        self.last = Some(now);
        self.bytes += len;
    }
}

fn sample(meter: &Meter, pings_ms: Vec<f64>) -> Result<Sample> {
    let (first, last) = meter.first.zip(meter.last).context("nothing arrived")?;
    let seconds = (last - first).as_secs_f64().max(1e-6);
    Ok(Sample {
        mbit_s: meter.bytes as f64 * 8.0 / 1e6 / seconds,
        pings_ms,
    })
}

/// Sends stamped pings until the load is done, and a little longer for what is on its way.
async fn ping_until<E: Into<anyhow::Error>>(
    load: tokio::task::JoinHandle<Result<(), E>>,
    mut send: impl AsyncFnMut(&[u8]),
) -> Result<()> {
    let mut tick = tokio::time::interval(PING_EVERY);
    while !load.is_finished() {
        tick.tick().await;
        send(&stamp()).await;
    }
    load.await?.map_err(Into::into)?;
    tokio::time::sleep(DRAIN).await;
    Ok(())
}

/// Length of a ping: no frame size and no remainder of one.
const STAMP: usize = 9;

/// Nanoseconds since the first ping of the process, as a message that no payload is as long as.
fn stamp() -> [u8; STAMP] {
    let mut stamp = [0; STAMP];
    let nanos = u64::try_from(start().elapsed().as_nanos()).unwrap_or(u64::MAX);
    stamp[..8].copy_from_slice(&nanos.to_be_bytes());
    stamp
}

fn since(ping: &[u8]) -> Option<f64> {
    let sent = u64::from_be_bytes(*ping.first_chunk()?);
    let now = u64::try_from(start().elapsed().as_nanos()).unwrap_or(u64::MAX);
    Some(now.saturating_sub(sent) as f64 / 1e6)
}

fn start() -> Instant {
    static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    *START.get_or_init(Instant::now)
}

fn bytes_of(size: usize) -> Bytes {
    Bytes::from(vec![0x5a; size])
}

fn percentile(mut values: Vec<f64>, percent: usize) -> f64 {
    values.sort_by(f64::total_cmp);
    let at = values.len().saturating_sub(1) * percent / 100;
    values.get(at).copied().unwrap_or(f64::NAN)
}

fn round(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_of_a_known_list() {
        let list: Vec<f64> = (0..=100).map(f64::from).collect();
        assert_eq!(percentile(list.clone(), 50), 50.0);
        assert_eq!(percentile(list, 99), 99.0);
        assert!(percentile(Vec::new(), 50).is_nan());
    }
}
