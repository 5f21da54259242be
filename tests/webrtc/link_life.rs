//! A link's life: lanes under load, its end on either side, and what is left afterwards.

mod common;

use common::relay::Relay;
use common::{DEADLINE, Pair, dial_to, gate, listener, listener_as, pair};
use peddlenet_peer::{
    Dial, Endpoint, EndpointConfig, FRAME_MAX, Kind, Lane, ListenerCertificate, SendError,
};
use std::time::{Duration, Instant};
use tokio::time::timeout;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frames_of_every_size_arrive_in_order() {
    let Pair {
        dialer,
        accepted,
        host: _host,
        guest: _guest,
        ..
    } = pair().await;
    let (here, _from_there) = dialer.split();
    let (_there, mut from_here) = accepted.split();
    let sizes = [0, 1, 100, 1_200, 16_384, FRAME_MAX - 1, FRAME_MAX];
    let sending = here.clone();
    tokio::spawn(async move {
        for size in sizes {
            let frame = vec![u8::try_from(size % 251).unwrap(); size];
            sending.send(Lane::Ordered, frame).await.unwrap();
        }
    });
    for size in sizes {
        let received = timeout(DEADLINE, from_here.recv()).await.unwrap().unwrap();
        assert_eq!(received.bytes.len(), size);
        let expected = u8::try_from(size % 251).unwrap();
        assert!(received.bytes.iter().all(|byte| *byte == expected));
    }
    let long = here.try_send(Lane::Ordered, vec![0; FRAME_MAX + 1]);
    assert_eq!(long, Err(SendError::TooLong));
    let long = here.try_send(Lane::Datagram, vec![0; 2000]);
    assert_eq!(long, Err(SendError::TooLong));
}

/// Acknowledgements are for no reader, and more of them come in than a link may hold unread.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_that_only_sends_is_not_held_up_by_acknowledgements() {
    let Pair {
        dialer,
        accepted,
        host: _host,
        guest: _guest,
        ..
    } = pair().await;
    let (here, _from_there) = dialer.split();
    let (_there, mut from_here) = accepted.split();
    // One at a time, or many would share a packet and its acknowledgement.
    for n in 0u32..16_000 {
        let frame = n.to_be_bytes().to_vec();
        here.send(Lane::Ordered, frame).await.unwrap();
        let received = timeout(DEADLINE, from_here.recv()).await;
        let received = received.expect("the link goes on").expect("it is open");
        assert_eq!(received.bytes[..], n.to_be_bytes());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_reader_holds_its_sender_up_and_loses_nothing() {
    let Pair {
        dialer,
        accepted,
        host: _host,
        guest: _guest,
        ..
    } = pair().await;
    let (here, _from_there) = dialer.split();
    let (_there, mut from_here) = accepted.split();
    let mut sent = 0u32;
    let mut full_since = Instant::now();
    // Full once may be a moment's; full for a second means that the reader is what is waited for.
    while full_since.elapsed() < Duration::from_secs(1) {
        let mut frame = vec![0; FRAME_MAX];
        frame[..4].copy_from_slice(&sent.to_be_bytes());
        match here.try_send(Lane::Ordered, frame) {
            Ok(()) => (sent, full_since) = (sent + 1, Instant::now()),
            Err(SendError::Full) => tokio::time::sleep(Duration::from_millis(2)).await,
            Err(other) => panic!("{other}"),
        }
        assert!(sent < 2_000, "no backpressure after {sent} frames");
    }
    println!("full after {sent} frames of 64 KiB");
    // Longer than the silence that ends a link: being slow is not being dead.
    tokio::time::sleep(Duration::from_secs(5)).await;
    for expected in 0..sent {
        let received = timeout(DEADLINE, from_here.recv()).await.unwrap().unwrap();
        let number = u32::from_be_bytes(received.bytes[..4].try_into().unwrap());
        assert_eq!(number, expected);
    }
    println!("drained {:?} after it was full", full_since.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn closing_one_side_ends_the_other_and_delivers_what_was_queued() {
    let Pair {
        dialer,
        accepted,
        host: _host,
        guest: _guest,
        ..
    } = pair().await;
    let (here, mut from_there) = dialer.split();
    let (there, mut from_here) = accepted.split();
    for _ in 0..20 {
        here.try_send(Lane::Ordered, vec![7; 20_000]).unwrap();
    }
    here.close();
    let started = Instant::now();
    for _ in 0..20 {
        assert_eq!(from_here.recv().await.unwrap().bytes.len(), 20_000);
    }
    assert_eq!(from_here.recv().await, None);
    assert_eq!(from_there.recv().await, None);
    println!("both down after {:?}", started.elapsed());
    assert!(started.elapsed() < Duration::from_secs(1));
    assert_eq!(
        there.try_send(Lane::Ordered, vec![1]),
        Err(SendError::Closed)
    );
    assert_eq!(
        here.send(Lane::Ordered, vec![1]).await,
        Err(SendError::Closed)
    );
    assert!(!here.is_open() && !there.is_open());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_reader_still_gets_what_came_before_the_close() {
    let Pair {
        dialer,
        accepted,
        host: _host,
        guest: _guest,
        ..
    } = pair().await;
    let (here, _from_there) = dialer.split();
    let (_there, mut from_here) = accepted.split();
    for number in 0..400u16 {
        here.send(Lane::Ordered, number.to_be_bytes().to_vec())
            .await
            .unwrap();
    }
    here.close();
    for number in 0..400u16 {
        let received = from_here.recv().await.expect("lost at the close");
        assert_eq!(received.bytes[..], number.to_be_bytes());
        tokio::time::sleep(Duration::from_micros(500)).await;
    }
    assert_eq!(from_here.recv().await, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dropping_a_link_closes_it() {
    let Pair {
        dialer,
        accepted,
        host: _host,
        guest: _guest,
        ..
    } = pair().await;
    drop(dialer);
    let (_there, mut from_here) = accepted.split();
    let end = timeout(Duration::from_secs(1), from_here.recv()).await;
    assert_eq!(end.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn closing_an_endpoint_ends_its_links() {
    let Pair {
        host,
        mut host_incoming,
        dialer,
        accepted,
        ..
    } = pair().await;
    let (_here, mut from_there) = dialer.split();
    let (_there, mut from_here) = accepted.split();
    host.close().await;
    let both = async { (from_there.recv().await, from_here.recv().await) };
    assert_eq!(
        timeout(Duration::from_secs(2), both).await.unwrap(),
        (None, None)
    );
    assert!(host_incoming.recv().await.is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_that_vanishes_is_noticed_by_both_within_five_seconds() {
    let key = gate(1, Kind::Invite, 1);
    let (host, mut incoming) = listener(vec![key.clone()]).await;
    let (guest, _) = listener(vec![]).await;
    let relay = Relay::to(host.local_addrs()[0]).await;
    let dial = Dial {
        addrs: vec![relay.addr],
        ..dial_to(&host, key)
    };
    let (here, mut from_there) = guest.dial(dial).await.unwrap().split();
    let (_there, mut from_here) = incoming.recv().await.unwrap().link.split();
    tokio::time::sleep(Duration::from_millis(1500)).await;
    println!("srtt {:?}", here.srtt());
    assert!(here.srtt().is_some());
    assert!(here.is_answered(Duration::from_secs(5)).await);
    relay.cut();
    let started = Instant::now();
    assert!(!here.is_answered(Duration::from_millis(300)).await);
    let both = async { tokio::join!(from_there.recv(), from_here.recv()) };
    assert_eq!(
        timeout(Duration::from_secs(7), both).await.unwrap(),
        (None, None)
    );
    println!("noticed after {:?}", started.elapsed());
    assert!(started.elapsed() < Duration::from_millis(5500));
}

/// A driver with nothing to do rests; a frame that was sent and lost is something to do.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_link_at_rest_sends_and_loses_is_sent_again() {
    let key = gate(1, Kind::Invite, 1);
    let (host, mut incoming) = listener(vec![key.clone()]).await;
    let (guest, _) = listener(vec![]).await;
    let relay = Relay::to(host.local_addrs()[0]).await;
    let dial = Dial {
        addrs: vec![relay.addr],
        ..dial_to(&host, key)
    };
    let (here, _from_there) = guest.dial(dial).await.unwrap().split();
    let (_there, mut from_here) = incoming.recv().await.unwrap().link.split();
    let records = || {
        let captured = relay.captured.lock().unwrap();
        captured.iter().filter(|packet| packet[0] == 23).count()
    };
    for n in 0..3u32 {
        // More than it takes to come to rest.
        tokio::time::sleep(Duration::from_millis(1_200)).await;
        relay.cut();
        let before = records();
        let frame = n.to_be_bytes().to_vec();
        here.send(Lane::Ordered, frame).await.unwrap();
        while records() == before {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        relay.mend();
        let received = timeout(DEADLINE, from_here.recv()).await;
        let received = received.expect("it is sent again").expect("it is open");
        assert_eq!(received.bytes[..], n.to_be_bytes());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_idle_link_stays() {
    let Pair {
        dialer,
        accepted,
        host: _host,
        guest: _guest,
        ..
    } = pair().await;
    let (here, _from_there) = dialer.split();
    let (_there, mut from_here) = accepted.split();
    tokio::time::sleep(Duration::from_secs(6)).await;
    here.send(Lane::Ordered, &b"hello"[..]).await.unwrap();
    let received = timeout(Duration::from_secs(1), from_here.recv()).await;
    assert_eq!(&received.unwrap().unwrap().bytes[..], b"hello");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_that_restarts_on_its_port_gets_back_in() {
    let key = gate(1, Kind::Member, 1);
    let (host, mut incoming) = listener(vec![key.clone()]).await;
    let certificate = ListenerCertificate::generate().unwrap();
    // A runtime that is shut down takes every task along, and says goodbye to nobody.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let (stored, dial) = (certificate.clone(), dial_to(&host, key.clone()));
    let first = runtime.spawn(async move {
        let (guest, incoming) = listener_as(stored, vec![]).await;
        let link = guest.dial(dial).await.unwrap();
        (guest.local_addrs()[0], guest, incoming, link)
    });
    let (addr, guest, guest_incoming, link) = first.await.unwrap();
    let (_there, mut from_here) = incoming.recv().await.unwrap().link.split();
    runtime.shutdown_background();
    drop((guest, guest_incoming, link));
    tokio::time::sleep(Duration::from_millis(100)).await;
    let config = EndpointConfig {
        listen: vec![addr],
        certificate,
    };
    let (guest, _guest_incoming) = Endpoint::bind(config).await.unwrap();
    let started = Instant::now();
    let again = guest.dial(dial_to(&host, key)).await;
    println!("back after {:?}", started.elapsed());
    again.unwrap();
    incoming.recv().await.unwrap();
    assert_eq!(from_here.recv().await, None, "the dead link stayed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn links_leave_no_tasks_behind() {
    let key = gate(1, Kind::Invite, 1);
    let (host, mut incoming) = listener(vec![key.clone()]).await;
    let (guest, _) = listener(vec![]).await;
    let tasks = || {
        tokio::runtime::Handle::current()
            .metrics()
            .num_alive_tasks()
    };
    let before = tasks();
    for round in 0..10 {
        let link = guest.dial(dial_to(&host, key.clone())).await.unwrap();
        let accepted = incoming.recv().await.unwrap();
        if round % 2 == 0 {
            drop(link);
            drop(accepted);
        } else {
            drop(accepted);
            drop(link);
        }
    }
    // A dial that is given up half-way leaves nothing either.
    let given_up = guest.dial(dial_to(&host, key));
    assert!(timeout(Duration::from_millis(15), given_up).await.is_err());
    let started = Instant::now();
    while tasks() > before && started.elapsed() < Duration::from_secs(8) {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    println!(
        "{before} tasks before, {} after {:?}",
        tasks(),
        started.elapsed()
    );
    assert!(tasks() <= before);
}
