//! What a device shows in clear, and how long: certificates that change every day while codes and
//! friends still find it, and nothing else that returns the day after.

mod common;

use common::{Pair, dial_to, gate, listener, pair};
use peddlenet_crypto::{DiscoveryKey, EpochKeys};
use peddlenet_peer::{DialError, Endpoint, Gate, Kind, Lane, ListenerCertificate};
use peddlenet_wire::{InviteKey, Timestamp};
use std::collections::HashSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::UdpSocket;
use tokio::time::timeout;

fn certificate() -> ListenerCertificate {
    ListenerCertificate::generate().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_code_that_names_an_old_certificate_opens_while_it_is_kept_and_links_live_on() {
    let key = gate(1, Kind::Invite, 1);
    let Pair {
        host,
        mut host_incoming,
        guest,
        dialer,
        accepted,
        ..
    } = pair().await;
    let as_in_the_code = dial_to(&host, key.clone());
    let (old, new) = (host.fingerprint(), certificate());
    // Yesterday's is what the endpoint was bound with; only `mesh` has its key, so bind anew here.
    let yesterday = certificate();
    let today_too = dial_to_as(&host, key.clone(), yesterday.fingerprint());
    host.set_certificates(vec![new.clone(), yesterday]);
    assert_eq!(host.fingerprint(), new.fingerprint());
    assert!(!host.has_certificate(old));

    guest.dial(today_too).await.unwrap();
    host_incoming.recv().await.unwrap();
    guest.dial(dial_to(&host, key)).await.unwrap();
    host_incoming.recv().await.unwrap();
    // What is no longer kept can't be shown, and a joiner believes nobody who names another.
    let gone = guest.dial(as_in_the_code).await;
    assert!(matches!(gone, Err(DialError::WrongFingerprint)), "{gone:?}");

    let (here, _from_there) = dialer.split();
    let (_there, mut from_here) = accepted.split();
    here.send(Lane::Ordered, &b"still here"[..]).await.unwrap();
    let received = timeout(common::DEADLINE, from_here.recv()).await;
    assert_eq!(&received.unwrap().unwrap().bytes[..], b"still here");
}

fn dial_to_as(
    host: &Endpoint,
    key: Gate,
    expected: peddlenet_peer::Fingerprint,
) -> peddlenet_peer::Dial {
    peddlenet_peer::Dial {
        fingerprint: Some(expected),
        ..dial_to(host, key)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_with_whereabouts_of_last_week_is_told_the_certificate_of_today() {
    let key = gate(1, Kind::Member, 1);
    let (host, mut incoming) = listener(vec![key.clone()]).await;
    let (guest, _guest_incoming) = listener(vec![]).await;
    let of_last_week = dial_to(&host, key.clone());
    for _ in 0..7 {
        host.set_certificates(vec![certificate()]);
    }
    let link = guest.dial(of_last_week).await.unwrap();
    let accepted = incoming.recv().await.unwrap().link;
    assert_eq!(link.handshake_hash(), accepted.handshake_hash());

    // Who holds no key is told nothing, and can't tell others anything.
    let stranger = dial_to(&host, gate(1, Kind::Member, 9));
    let refused = guest.dial(stranger).await;
    assert!(matches!(
        refused,
        Err(DialError::AlreadyLinked | DialError::Refused)
    ));
    let stats = host.stats();
    assert_eq!(stats.moved, 0, "members ask: {stats:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dials_that_cross_leave_one_link_also_when_both_have_moved() {
    for round in 0..4 {
        let key = gate(1, Kind::Member, 1);
        let (one, mut to_one) = listener(vec![key.clone()]).await;
        let (two, mut to_two) = listener(vec![key.clone()]).await;
        let (dial_one, dial_two) = (dial_to(&one, key.clone()), dial_to(&two, key.clone()));
        if round % 2 == 1 {
            one.set_certificates(vec![certificate()]);
            two.set_certificates(vec![certificate()]);
        }
        let (from_two, from_one) = tokio::join!(two.dial(dial_one), one.dial(dial_two));
        let mut links: Vec<_> = [from_two, from_one].into_iter().flatten().collect();
        let half = Duration::from_millis(500);
        let mut accepted = Vec::new();
        while let Ok(Some(link)) = timeout(half, to_one.recv()).await {
            accepted.push(link);
        }
        while let Ok(Some(link)) = timeout(half, to_two.recv()).await {
            accepted.push(link);
        }
        // What was dialled and closed again as the other's dial won may have come in, too.
        let open: HashSet<_> = accepted.iter().map(|a| a.link.handshake_hash()).collect();
        links.retain(|link| open.contains(&link.handshake_hash()));
        assert_eq!(links.len(), 1, "round {round}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_source_that_misbehaved_is_refused_and_its_link_stays() {
    let key = gate(1, Kind::Member, 1);
    let (host, mut incoming) = listener(vec![key.clone()]).await;
    let (guest, _) = listener(vec![]).await;
    let link = guest.dial(dial_to(&host, key.clone())).await.unwrap();
    let accepted = incoming.recv().await.unwrap().link;
    host.refuse(guest.local_addrs()[0]);
    let back = host.dial(dial_to(&guest, key.clone())).await;
    assert!(matches!(back, Err(DialError::NoAddress)), "{back:?}");
    let (here, _from_there) = link.split();
    let (_there, mut from_here) = accepted.split();
    here.send(Lane::Ordered, &b"still here"[..]).await.unwrap();
    let received = timeout(common::DEADLINE, from_here.recv()).await;
    assert_eq!(&received.unwrap().unwrap().bytes[..], b"still here");

    here.close();
    while from_here.recv().await.is_some() {}
    drop((_there, from_here));
    let mut again = dial_to(&host, key.clone());
    again.deadline = Duration::from_millis(1500);
    // The link that was closed takes a moment to be gone.
    let refused = loop {
        match guest.dial(again.clone()).await {
            Err(DialError::AlreadyLinked) => tokio::time::sleep(Duration::from_millis(20)).await,
            outcome => break outcome,
        }
    };
    assert!(
        matches!(refused, Err(DialError::NobodyThere)),
        "{refused:?}"
    );
    assert!(host.stats().refused > 0 && host.stats().bans == 1);
    // Its neighbour behind the same address is not meant.
    let (neighbour, _) = listener(vec![]).await;
    neighbour.dial(dial_to(&host, key)).await.unwrap();
}

/// A relay that keeps what either side sends.
struct Tap {
    addr: SocketAddr,
    from_dialer: Arc<Mutex<Vec<u8>>>,
    from_host: Arc<Mutex<Vec<u8>>>,
}

/// Where one datagram ends and the next begins.
const GAP: [u8; 4] = [0xfe; 4];

impl Tap {
    async fn to(host: SocketAddr) -> Self {
        let front = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let back = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let tap = Self {
            addr: front.local_addr().unwrap(),
            from_dialer: Arc::default(),
            from_host: Arc::default(),
        };
        let (there, here) = (tap.from_dialer.clone(), tap.from_host.clone());
        tokio::spawn(async move {
            let (mut a, mut b, mut dialer) = (vec![0; 65_536], vec![0; 65_536], None);
            let keep = |to: &Mutex<Vec<u8>>, packet: &[u8]| {
                to.lock().unwrap().extend([packet, &GAP].concat());
            };
            loop {
                tokio::select! {
                    got = front.recv_from(&mut a) => {
                        let Ok((len, from)) = got else { return };
                        dialer = Some(from);
                        keep(&there, &a[..len]);
                        let _ = back.send_to(&a[..len], host).await;
                    }
                    got = back.recv_from(&mut b) => {
                        let (Ok((len, _)), Some(dialer)) = (got, dialer) else { return };
                        keep(&here, &b[..len]);
                        let _ = front.send_to(&b[..len], dialer).await;
                    }
                }
            }
        });
        tap
    }
}

/// Everything that one device sends in a day: as the one that is dialled, as the one that dials,
/// and its tags.
async fn day_of(device: &Endpoint, friend: &Endpoint, key: &Gate, now: Timestamp) -> Vec<u8> {
    let mut sent = Vec::new();
    for (dialer, host, by_dialer) in [(friend, device, false), (device, friend, true)] {
        let tap = Tap::to(host.local_addrs()[0]).await;
        let mut dial = dial_to(host, key.clone());
        dial.addrs = vec![tap.addr];
        let link = dialer.dial(dial).await.unwrap();
        tokio::time::sleep(Duration::from_millis(200)).await;
        drop(link);
        tokio::time::sleep(Duration::from_millis(200)).await;
        let of = if by_dialer {
            &tap.from_dialer
        } else {
            &tap.from_host
        };
        sent.extend(of.lock().unwrap().iter());
    }
    let epoch = EpochKeys::from_seeds(key.psk, [0; 32]);
    let tags = [
        DiscoveryKey::of_members(&epoch),
        DiscoveryKey::of_invite(&InviteKey(key.psk)),
    ];
    for minutes in (0..24 * 60).step_by(10) {
        for tag in &tags {
            let at = now.after(Duration::from_secs(minutes * 60));
            sent.extend([&tag.tag(at).0[..], &GAP].concat());
        }
    }
    sent
}

/// Every stretch of so many bytes, of which at least so many say something: the counters and lengths
/// of DTLS records and handshake messages are small numbers among zeros, and which of them a device
/// reaches depends on what was sent again, so that two days may share one that nobody else had.
const STRETCH: usize = 6;
const STRETCH_NOT_ZERO: usize = 4;

fn stretches(sent: &[u8]) -> HashSet<&[u8]> {
    sent.windows(STRETCH)
        .filter(|stretch| stretch.iter().filter(|byte| **byte != 0).count() >= STRETCH_NOT_ZERO)
        .collect()
}

fn contains(sent: &[u8], what: &[u8]) -> bool {
    sent.windows(what.len()).any(|stretch| stretch == what)
}

/// What of one device is the same on all its days, and is not what every device of the app sends.
fn returning(days: &[Vec<u8>], others: &[&Vec<u8>]) -> Vec<Vec<u8>> {
    let mut common = stretches(&days[0]);
    for day in &days[1..] {
        let of_day = stretches(day);
        common.retain(|stretch| of_day.contains(stretch));
    }
    for other in others {
        let of_other = stretches(other);
        common.retain(|stretch| !of_other.contains(stretch));
    }
    common.into_iter().map(<[u8]>::to_vec).collect()
}

/// Days of a device, one after the other.
async fn days_of(person: u8, days: u64, rotates: bool) -> Vec<Vec<u8>> {
    let key = gate(1, Kind::Member, person);
    let (device, _incoming) = listener(vec![key.clone()]).await;
    let mut sent = Vec::new();
    for day in 0..days {
        // The clock: a day later there is another certificate (mesh's `certificates` says when).
        if rotates {
            device.set_certificates(vec![certificate()]);
        }
        let (friend, _to_friend) = listener(vec![key.clone()]).await;
        let now = Timestamp(1_800_000_000_000 + day * 24 * 3_600_000);
        sent.push(day_of(&device, &friend, &key, now).await);
    }
    sent
}

/// Three days of two devices with different keys. The constants that all devices share (STUN and
/// DTLS headers, the subject, issuer, validity and curve of a certificate, extensions, the few lengths
/// that a signature may have) are those that eight others send, too. Addresses and ports are left out:
/// each day is sent through another tap. There is no ALPN and no server name to be seen, since DTLS of
/// WebRTC sends neither.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_a_device_sends_in_clear_returns_the_day_after() {
    let mut others = tokio::task::JoinSet::new();
    (10..18).for_each(|person| drop(others.spawn(days_of(person, 2, true))));
    let others: Vec<Vec<u8>> = others.join_all().await.into_iter().flatten().collect();
    let mut sent: Vec<Vec<Vec<u8>>> = Vec::new();
    for (person, rotates) in [(1, true), (2, true), (3, false)] {
        sent.push(days_of(person, 3, rotates).await);
    }
    let [one, two, lazy] = &sent[..] else {
        unreachable!()
    };
    // That this test sees certificates and user names at all.
    for day in one.iter().chain(two) {
        assert!(
            contains(day, b"rcgen self signed cert"),
            "no certificate was seen"
        );
        assert!(contains(day, b"M1"), "no user name was seen");
    }
    for (days, other) in [(one, two), (two, one)] {
        let returned = returning(days, &other.iter().chain(&others).collect::<Vec<_>>());
        assert!(returned.is_empty(), "returned: {returned:02x?}");
    }
    let kept = returning(
        lazy,
        &one.iter().chain(two).chain(&others).collect::<Vec<_>>(),
    );
    println!(
        "a device that keeps its certificate: {} stretches return",
        kept.len()
    );
    assert!(
        kept.len() > 32,
        "this test would not notice a certificate that stays"
    );
}

/// `webrtc` would tell a name of its own by multicast.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_link_opens_a_multicast_dns_socket() {
    let links = pair().await;
    let own: HashSet<String> = std::fs::read_dir("/proc/self/fd")
        .unwrap()
        .filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok())
        .filter_map(|to| {
            Some(
                to.to_str()?
                    .strip_prefix("socket:[")?
                    .trim_end_matches(']')
                    .to_owned(),
            )
        })
        .collect();
    let mut ports = Vec::new();
    for table in ["/proc/self/net/udp", "/proc/self/net/udp6"] {
        for line in std::fs::read_to_string(table)
            .unwrap_or_default()
            .lines()
            .skip(1)
        {
            let fields: Vec<&str> = line.split_whitespace().collect();
            if own.contains(fields[9]) {
                let (_, port) = fields[1].rsplit_once(':').unwrap();
                ports.push(u16::from_str_radix(port, 16).unwrap());
            }
        }
    }
    assert!(
        ports.contains(&links.host.local_addrs()[0].port()),
        "{ports:?}"
    );
    assert!(!ports.contains(&5353), "{ports:?}");
}
