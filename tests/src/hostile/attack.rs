//! The attackers. They use the project's own crates where a protocol has to be spoken, and raw
//! sockets where it has to be broken.

use std::{
    net::{SocketAddr, UdpSocket},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use crate::raw::gate_of;
use anyhow::{Context, Result, bail};
use peddlenet_crypto::{
    AuthorKey, Draft, EpochKeys, InviteKeys, join_proof, open_proof, room_offer, seal_event,
};
use peddlenet_peer::{
    Dial, Endpoint, EndpointConfig, FRAME_MAX, Gate, GateId, Kind, Lane, Link, LinkSender,
    ListenerCertificate, SendError,
};
use peddlenet_wire::{
    AuthorId, Capped, EventHash, Frame, Hlc, Invite, RoomTag, Seq, SignedEvent, Stream, Timestamp,
    content::Content,
    frame::{Event, Open, Rooms, Want, Wanted},
    ids::Digest,
    join::JoinRequest,
    tree::{Announced, Ihave},
};

/// From where attackers come: loopback, and not the address of the honest.
const FROM: &str = "127.0.0.2:0";
/// Sockets of the stranger (count).
const SOCKETS: usize = 64;
/// A dial of an attacker may take so long.
const DIAL: Duration = Duration::from_secs(10);

/// A generator for attacks: they need variety, not secrecy (xorshift64*, Vigna 2016).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.next() % n.max(1) as u64).unwrap_or_default()
    }

    fn fill(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let random = self.next().to_le_bytes();
            chunk.copy_from_slice(&random[..chunk.len()]);
        }
    }

    fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }
}

/// Attacks as `name` says, with what the code tells, until the time is over or `stop` is set. Says
/// what was sent.
pub fn run(
    name: &str,
    code: &str,
    span: Duration,
    seed: u64,
    stop: &Arc<AtomicBool>,
) -> Result<String> {
    let code = Invite::from_link(code).context("the code")?;
    let until = Instant::now() + span;
    let dice = Dice(seed | 1);
    let going = move |stop: &AtomicBool| Instant::now() < until && !stop.load(Ordering::Relaxed);
    let runtime = tokio::runtime::Runtime::new()?;
    match name {
        "stranger" => {
            let captured = runtime.block_on(first_packets(&code))?;
            stranger(&code, &captured, dice, &|| going(stop))
        }
        "photo" => runtime.block_on(photo(&code, &|| going(stop))),
        "member" => runtime.block_on(member(&code, dice, &|| going(stop))),
        other => bail!("there is no attack {other}"),
    }
}

fn target(code: &Invite) -> Result<SocketAddr> {
    let v4 = code.endpoints().find(SocketAddr::is_ipv4);
    v4.context("no IPv4 address in the code")
}

async fn endpoint() -> Result<Endpoint> {
    let config = EndpointConfig {
        listen: vec![FROM.parse()?],
        certificate: ListenerCertificate::generate()?,
    };
    let (endpoint, _incoming) = Endpoint::bind(config).await?;
    Ok(endpoint)
}

/// What a stranger on the same network captures of somebody's join: the first packets, which have
/// reached the host too.
async fn first_packets(code: &Invite) -> Result<Vec<Vec<u8>>> {
    let host = target(code)?;
    let between = tokio::net::UdpSocket::bind("127.0.0.1:0").await?;
    let addr = between.local_addr()?;
    let captured = Arc::new(std::sync::Mutex::new(Vec::new()));
    let capture = Arc::clone(&captured);
    let relay = tokio::spawn(async move {
        let mut packet = vec![0; 2048];
        while let Ok((len, from)) = between.recv_from(&mut packet).await {
            if from != host {
                capture
                    .lock()
                    .map(|mut all| all.push(packet[..len].to_vec()))
                    .ok();
                let _ = between.send_to(&packet[..len], host).await;
            }
        }
    });
    let dial = Dial {
        addrs: vec![addr],
        fingerprint: Some(peddlenet_peer::Fingerprint(code.fingerprint.0)),
        gate: gate_of(code),
        deadline: Duration::from_millis(300),
    };
    let _ = endpoint().await?.dial(dial).await;
    relay.abort();
    let packets = captured.lock().map(|all| all.clone()).unwrap_or_default();
    Ok(packets)
}

/// Five kinds of packets from many ports, as fast as the system takes them.
fn stranger(
    code: &Invite,
    captured: &[Vec<u8>],
    mut dice: Dice,
    going: &dyn Fn() -> bool,
) -> Result<String> {
    let host = target(code)?;
    let sockets: Vec<UdpSocket> = (0..SOCKETS)
        .map(|_| UdpSocket::bind(FROM))
        .collect::<Result<_, _>>()?;
    let mut packet = vec![0; 1400];
    let (mut sent, mut bytes) = (0u64, 0u64);
    while going() {
        for socket in &sockets {
            let model = captured.get(dice.below(captured.len()));
            let packet = match (dice.below(5), model) {
                (0, Some(model)) => {
                    // A replay.
                    packet[..model.len()].copy_from_slice(model);
                    &packet[..model.len()]
                }
                (1, Some(model)) => {
                    // Well formed, and by no key: another certificate, the same integrity.
                    packet[..model.len()].copy_from_slice(model);
                    let at = 30 + dice.below(30);
                    packet[at] = b'A' + u8::try_from(dice.below(26))?;
                    &packet[..model.len()]
                }
                (2, Some(model)) => {
                    // Malformed: cut short, with lengths that lie.
                    packet[..model.len()].copy_from_slice(model);
                    let at = dice.below(model.len());
                    packet[at] ^= u8::try_from(dice.below(255))?;
                    &packet[..dice.below(model.len())]
                }
                (3, _) => {
                    // DTLS, or what looks like it: a ClientHello of no link.
                    dice.fill(&mut packet[..200]);
                    packet[..3].copy_from_slice(&[22, 254, 253]);
                    &packet[..200]
                }
                _ => {
                    let len = dice.below(1400);
                    dice.fill(&mut packet[..len]);
                    &packet[..len]
                }
            };
            if socket.send_to(packet, host).is_ok() {
                sent += 1;
                bytes += packet.len() as u64;
            }
        }
    }
    Ok(format!("{sent} packets, {bytes} bytes"))
}

/// Links that are given up half-way, and links on which nothing is asked, side by side.
async fn photo(code: &Invite, going: &dyn Fn() -> bool) -> Result<String> {
    let (mut begun, mut opened, mut idle) = (0u64, 0u64, Vec::new());
    while going() {
        let endpoint = endpoint().await?;
        let dial = |deadline| Dial {
            addrs: target(code).into_iter().collect(),
            fingerprint: Some(peddlenet_peer::Fingerprint(code.fingerprint.0)),
            gate: gate_of(code),
            deadline,
        };
        // Past the first packet, before the handshake is done.
        for _ in 0..4 {
            let _ = endpoint.dial(dial(Duration::from_millis(12))).await;
            begun += 1;
        }
        if let Ok(link) = endpoint.dial(dial(Duration::from_millis(500))).await {
            opened += 1;
            idle.push((endpoint, link));
            if idle.len() > 40 {
                idle.remove(0);
            }
        }
    }
    Ok(format!(
        "{begun} links begun, {opened} opened and left idle"
    ))
}

/// What a member may do on a link, one after the other, each on a new link.
const FLOODS: [&str; 7] = [
    "wants",
    "events",
    "announcements",
    "tiny frames",
    "long frames",
    "forged events",
    "garbage",
];

async fn member(code: &Invite, mut dice: Dice, going: &dyn Fn() -> bool) -> Result<String> {
    let member = Member::join(code, &mut dice).await?;
    let mut told = Vec::new();
    let mut round = 0;
    let mut refused = 0u64;
    while going() {
        let flood = FLOODS[round % FLOODS.len()];
        match member.link(code).await {
            Ok((_endpoint, link)) => {
                round += 1;
                let frames = member.flood(link, flood, &mut dice, going).await;
                told.push(format!("{flood}: {frames} frames"));
            }
            Err(_) => {
                refused += 1;
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    }
    told.push(format!("{refused} dials refused"));
    Ok(told.join(", "))
}

/// A member with its keys in its hands.
struct Member {
    key: AuthorKey,
    room: RoomTag,
    gate: Gate,
    epoch: EpochKeys,
    credentials: Vec<SignedEvent>,
}

impl Member {
    async fn join(code: &Invite, dice: &mut Dice) -> Result<Self> {
        let endpoint = endpoint().await?;
        let dial = Dial {
            addrs: vec![target(code)?],
            fingerprint: Some(peddlenet_peer::Fingerprint(code.fingerprint.0)),
            gate: gate_of(code),
            deadline: DIAL,
        };
        let key = AuthorKey::from_seed(dice.bytes());
        let (sender, mut receiver) = endpoint.dial(dial).await?.split();
        let keys = InviteKeys::from_secret(&code.secret);
        let request = Frame::JoinRequest(JoinRequest {
            room: code.room,
            author: key.id(),
            proof: join_proof(&key, &sender.handshake_hash(), code.room),
            invite: keys.public(),
            voucher: keys.voucher(code.room, key.id()),
        });
        sender.send(Lane::Ordered, request.to_bytes()).await?;
        loop {
            let received = receiver.recv().await.context("sent away")?;
            if let Ok(Frame::Welcome(welcome)) = Frame::from_bytes(&received.bytes) {
                let epoch = welcome.epochs.last().context("no keys")?;
                let epoch = EpochKeys::from_grant(epoch)?;
                let keys = peddlenet_crypto::member_gate(&epoch);
                let room = welcome.events.first().context("no events")?.header().room;
                return Ok(Self {
                    key,
                    room,
                    gate: Gate {
                        id: GateId(1),
                        kind: Kind::Member,
                        ice_key: keys.ice_key,
                        psk: keys.psk,
                    },
                    epoch,
                    credentials: welcome.events.iter().skip(1).cloned().collect(),
                });
            }
        }
    }

    /// A new link from a new port, with the room open on it.
    async fn link(&self, code: &Invite) -> Result<(Endpoint, Link)> {
        let endpoint = endpoint().await?;
        let dial = Dial {
            addrs: vec![target(code)?],
            fingerprint: Some(peddlenet_peer::Fingerprint(code.fingerprint.0)),
            gate: self.gate.clone(),
            deadline: Duration::from_secs(2),
        };
        let link = endpoint.dial(dial).await?;
        Ok((endpoint, link))
    }

    async fn flood(
        &self,
        link: Link,
        flood: &str,
        dice: &mut Dice,
        going: &dyn Fn() -> bool,
    ) -> u64 {
        let hash = link.handshake_hash();
        let (sender, mut receiver) = link.split();
        let rooms = Frame::Rooms(Rooms {
            offers: Capped::take_from(&mut std::iter::once(room_offer(&hash, self.room))),
        });
        let open = Frame::Open(Open {
            room: self.room,
            author: self.key.id(),
            proof: open_proof(&self.key, &hash, self.room, true),
            credentials: Capped::take_from(&mut self.credentials.iter().cloned()),
        });
        for frame in [rooms, open] {
            if sender.send(Lane::Ordered, frame.to_bytes()).await.is_err() {
                return 0;
            }
        }
        // Reads, or does not: half of the floods are by one that takes nothing of what it is sent.
        let reads = dice.below(2) == 0;
        let reading = tokio::spawn(async move {
            while reads && receiver.recv().await.is_some() {}
            std::future::pending::<()>().await;
        });
        let mut frames = Frames::new(self, flood, dice);
        let mut sent = 0;
        let began = Instant::now();
        while going() && sender.is_open() && began.elapsed() < Duration::from_secs(15) {
            let (lane, bytes) = frames.next(self, dice);
            match push(&sender, lane, bytes).await {
                Ok(()) => sent += 1,
                Err(_) => break,
            }
        }
        reading.abort();
        sent
    }
}

/// Sends as fast as the queue takes it, and looks up now and then.
async fn push(sender: &LinkSender, lane: Lane, bytes: Vec<u8>) -> Result<(), SendError> {
    match tokio::time::timeout(Duration::from_millis(200), sender.send(lane, bytes)).await {
        Ok(outcome) => outcome,
        Err(_) => Ok(()),
    }
}

/// Frames of one flood.
struct Frames {
    flood: String,
    /// Made before, since signing is slower than sending.
    stock: Vec<Vec<u8>>,
    next: usize,
}

impl Frames {
    fn new(member: &Member, flood: &str, dice: &mut Dice) -> Self {
        let stock = match flood {
            "events" => member.events(2_000, dice),
            "forged events" => {
                let mut events = member.events(50, dice);
                for event in &mut events {
                    // Somewhere in the signature or the body.
                    let at = event.len() - 60;
                    event[at] ^= 1;
                }
                events
            }
            _ => Vec::new(),
        };
        Self {
            flood: flood.to_owned(),
            stock,
            next: 0,
        }
    }

    fn next(&mut self, member: &Member, dice: &mut Dice) -> (Lane, Vec<u8>) {
        self.next += 1;
        if !self.stock.is_empty() {
            let frame = &self.stock[self.next % self.stock.len()];
            return (Lane::Ordered, frame.clone());
        }
        let frame = match self.flood.as_str() {
            "wants" => Frame::Want(Want {
                room: member.room,
                id: u32::try_from(self.next).unwrap_or_default(),
                what: Wanted::Page {
                    before: None,
                    limit: 500,
                },
            }),
            "announcements" => Frame::Ihave(Ihave {
                room: member.room.short(),
                entries: Capped::take_from(&mut (0..256u64).map(|n| Announced {
                    author: AuthorId(dice.bytes()).short(),
                    stream: Stream::CONTENT,
                    seq: Seq(n + 1),
                    cost: 1,
                })),
            }),
            // A kind that only a newer app knows, as short as a frame gets.
            "tiny frames" => return (Lane::Bulk, vec![0x82, 0x18, 0xff, 0xa0]),
            "long frames" => {
                let mut long = vec![0; FRAME_MAX];
                // That kind again, with as many bytes as fit.
                long[..6].copy_from_slice(&[0x82, 0x18, 0xff, 0x59, 0xff, 0xfa]);
                return (Lane::Bulk, long);
            }
            _ => {
                let mut garbage = vec![0; 1 + dice.below(2_000)];
                dice.fill(&mut garbage);
                return (Lane::Ordered, garbage);
            }
        };
        (Lane::Ordered, frame.to_bytes())
    }
}

impl Member {
    /// Events of its own that hold, from the first of its content log on, as frames.
    fn events(&self, count: u64, dice: &mut Dice) -> Vec<Vec<u8>> {
        let mut previous = EventHash::ZERO;
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let now = u64::try_from(now.unwrap_or_default().as_millis()).unwrap_or_default();
        let text = match peddlenet_wire::content::Text::new("excess") {
            Ok(text) => Content::Text(text).to_bytes(),
            Err(_) => Vec::new(),
        };
        let mut frames = Vec::new();
        for seq in 1..=count {
            let draft = Draft {
                room: self.room,
                stream: Stream::CONTENT,
                seq: Seq(seq),
                previous,
                clock: Hlc(Hlc::at(Timestamp(now)).0 + seq),
                parents: Capped::default(),
                membership: Digest::ZERO,
            };
            let Ok(event) = seal_event(&draft, &self.key, &self.epoch, dice.bytes(), &text) else {
                break;
            };
            previous = event.hash();
            let frame = Frame::Event(Event {
                event,
                hops: 0,
                cost: 1,
            });
            frames.push(frame.to_bytes());
        }
        frames
    }
}
