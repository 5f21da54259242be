//! Nothing is allocated for a packet that does not authenticate.
//!
//! A test binary of its own: it replaces the allocator by one that counts.
#![allow(
    unsafe_code,
    reason = "an allocator that counts has to implement GlobalAlloc"
)]

mod common;

use common::gate;
use peddlenet_peer::Kind;
use peddlenet_peer::front_door::{FrontDoor, Verdict};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: every call is passed on to the system allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn allocations<T>(work: impl FnOnce() -> T) -> (usize, T) {
    let before = ALLOCATIONS.with(Cell::get);
    let done = work();
    (ALLOCATIONS.with(Cell::get) - before, done)
}

/// First packets of a real dialer with that key.
fn real_first_packets(key: u8) -> Vec<Vec<u8>> {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let (host, _incoming) = common::listener(vec![]).await;
        let relay = common::relay::Relay::to(host.local_addrs()[0]).await;
        let (guest, _) = common::listener(vec![]).await;
        let dial = peddlenet_peer::Dial {
            addrs: vec![relay.addr],
            deadline: Duration::from_millis(300),
            ..common::dial_to(&host, gate(1, Kind::Invite, key))
        };
        let _ = guest.dial(dial).await;
        let captured = relay.captured.lock().unwrap();
        captured.clone()
    })
}

#[test]
fn packets_that_do_not_authenticate_allocate_nothing() {
    let mut door = FrontDoor::new();
    let invites = (1..=16u8).map(|n| gate(n.into(), Kind::Invite, n));
    let members = (1..=255u8).map(|n| gate(100 + u64::from(n), Kind::Member, n));
    door.set_gates(invites.chain(members).collect());
    let wrong_key = real_first_packets(77);
    let right_key = real_first_packets(3);
    assert!(!wrong_key.is_empty() && !right_key.is_empty());
    let mut packets: Vec<Vec<u8>> = wrong_key.clone();
    for good in right_key.iter().take(2) {
        // Truncated at every length, and with every byte changed once.
        packets.extend((0..good.len()).map(|len| good[..len].to_vec()));
        packets.extend((20..good.len() - 8).map(|at| {
            let mut bad = good.clone();
            bad[at] ^= 0x20;
            bad
        }));
    }
    for size in [0, 1, 20, 64, 1_200, 65_507] {
        packets.push(vec![0; size]);
        packets.push(vec![0xff; size]);
        packets.push((0..size).map(|n| (n * 7 + size).to_le_bytes()[0]).collect());
    }
    let now = Instant::now();
    let mut refused = 0;
    for (number, packet) in packets.iter().enumerate() {
        let port = u16::try_from(1_000 + number).unwrap();
        let [high, low] = port.to_be_bytes();
        let source = SocketAddr::from(([10, 0, high, low], port));
        let (count, verdict) = allocations(|| door.judge(packet, source, now));
        assert_eq!(count, 0, "packet {number} of {} bytes", packet.len());
        match verdict {
            Verdict::Open(knock) => panic!("packet {number} opened gate {:?}", knock.gate),
            Verdict::Refuse(_) => refused += 1,
            _ => {}
        }
    }
    println!(
        "{} packets judged, {refused} refused, 0 allocations",
        packets.len()
    );
    assert!(refused > 0, "the test never reached the cryptography");

    let source = SocketAddr::from(([10, 9, 9, 9], 9));
    let (count, verdict) = allocations(|| door.judge(&right_key[0], source, now));
    assert!(matches!(verdict, Verdict::Open(_)), "the right key opens");
    println!("{count} allocations for the packet that opens");
}
