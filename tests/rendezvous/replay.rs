//! An operator that keeps everything and says it again.

use std::{net::UdpSocket, time::Duration};

use peddlenet_crypto::MeetingTag;
use peddlenet_mesh::{Reach, Stats};
use peddlenet_peer::{Endpoint, EndpointConfig, ListenerCertificate, News, Rendezvous};

use crate::{
    device::{Device, same_room, until},
    operator::{HOST, Operator, garbage, random},
};

/// How often everything is said again.
const ROUNDS: usize = 20;
/// Dials, offers and answers that may come of all that together (count): a handful, never one for each message.
const FEW: u64 = 12;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_said_again_many_times_and_on_other_tags_changes_nothing() {
    let operator = Operator::start().await;
    let mut ada = Device::at_server("Ada", operator.url()).await;
    let room = ada.node.create_room("Echo").await.unwrap();
    let code = ada.code(room).await;
    operator.holds(HOST, 2).await;
    let bea = Device::at_server("Bea", operator.url()).await;
    bea.join(&code).await;
    // Whoever comes back makes offers, too.
    let bea = bea.shut().await;
    let before = operator.said().len();
    let friend = operator.connections();
    let mut bea = Device::reopen(bea).await;
    bea.sees(room, "Ada", Reach::Linked).await;
    ada.sees(room, "Bea", Reach::Linked).await;
    operator.hear(before, |said| said.from != HOST).await;
    same_room(room, &[&ada, &bea]).await;

    operator.holds(friend, 2).await;
    let kept = operator.said();
    let tags: Vec<_> = operator.tags(HOST).into_iter().collect();
    assert!(kept.len() >= 4, "{} messages were kept", kept.len());
    let devices = [(HOST, &ada), (friend, &bea)];
    let mut garbage_due = [0; 2];
    let mut stats_before = Vec::new();
    for (n, (_, device)) in devices.iter().enumerate() {
        stats_before.push(device.node.stats().await.unwrap().0);
        garbage_due[n] = garbage(&device.node).await;
    }
    let mut texts = Vec::new();
    for round in 0..ROUNDS {
        for said in &kept {
            for (n, to) in [HOST, friend].into_iter().enumerate() {
                operator.tell(to, said.tag, &said.data);
                let elsewhere = tags.iter().filter(|tag| **tag != said.tag);
                for tag in elsewhere {
                    operator.tell(to, *tag, &said.data);
                    garbage_due[n] += 1;
                }
                // One that was never asked for.
                operator.tell(to, MeetingTag(random()), &said.data);
            }
        }
        for to in [HOST, friend] {
            for tag in tags.iter().copied().chain([MeetingTag(random())]) {
                operator.claim_joined(to, tag, u64::MAX);
            }
        }
        let text = format!("round {round}");
        match round % 2 {
            0 => ada.say(room, &text).await,
            _ => bea.say(room, &text).await,
        };
        texts.push(text);
    }
    for text in &texts {
        ada.hear(text).await;
        bea.hear(text).await;
    }
    for (n, device) in [&ada, &bea].into_iter().enumerate() {
        // What came last is counted: so is all before it.
        until("everything to be heard", async || {
            (garbage(&device.node).await >= garbage_due[n]).then_some(())
        })
        .await;
        assert_eq!(garbage(&device.node).await, garbage_due[n]);
        let Stats {
            dials,
            meetings,
            links_up,
            joins_admitted,
            joins_refused,
            ..
        } = device.node.stats().await.unwrap().0;
        let before = stats_before[n];
        assert!(dials - before.dials <= FEW, "{dials} dials");
        assert!(
            meetings - before.meetings <= FEW,
            "{meetings} offers and answers"
        );
        assert_eq!(links_up, before.links_up);
        let joins = (joins_admitted, joins_refused);
        assert_eq!(joins, (before.joins_admitted, before.joins_refused));
        assert_eq!(device.node.members(room).await.unwrap().len(), 2);
        assert_eq!(device.texts(room).await, texts);
    }
    same_room(room, &[&ada, &bea]).await;
}

/// A server's word that a tag is held answers a question, once: else it could make a device greet all day long, and
/// keep any number of tags in mind.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_an_answer_to_a_question_counts() {
    let operator = Operator::start().await;
    let (rendezvous, mut news) = Rendezvous::start(operator.url().clone());
    let held = MeetingTag([7; 16]);
    rendezvous.hold([held]);
    operator.holds(0, 1).await;
    for n in 0..100_u8 {
        operator.claim_joined(0, held, 9);
        operator.claim_joined(0, MeetingTag([n; 16]), 9);
        operator.claim_ice(0, "127.0.0.1:9");
    }
    operator.tell(0, held, b"the last");
    let mut joined = Vec::new();
    loop {
        match news.recv().await.expect("the connection stands") {
            News::Joined { tag, peers } => joined.push((tag, peers)),
            News::Heard { data, .. } => {
                assert_eq!(data, b"the last");
                break;
            }
            News::Up | News::Offer { ice: None, .. } => {}
            // It asked for that, too, and there is none.
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(joined, [(held, 0)]);
}

/// Whoever is awaited at an address gets a few packets a second, however often the server says who comes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_joiner_awaited_many_times_costs_no_more_packets() {
    let (endpoint, _incoming) = Endpoint::bind(EndpointConfig {
        listen: vec!["127.0.0.1:0".parse().unwrap()],
        certificate: ListenerCertificate::generate().unwrap(),
    })
    .await
    .unwrap();
    let there = UdpSocket::bind("127.0.0.1:0").unwrap();
    there.set_nonblocking(true).unwrap();
    let there = tokio::net::UdpSocket::from_std(there).unwrap();
    let addr = there.local_addr().unwrap();
    for _ in 0..200 {
        endpoint.expect(vec![addr], Duration::from_secs(2));
    }
    // The end is told by a second address, awaited for as long, from now on.
    let end = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    endpoint.expect(vec![end.local_addr().unwrap()], Duration::from_secs(2));
    let mut packet = [0; 64];
    for _ in 0..4 {
        end.recv_from(&mut packet).await.unwrap();
    }
    let mut packets = 0;
    while there.try_recv_from(&mut packet).is_ok() {
        packets += 1;
    }
    assert!((1..=20).contains(&packets), "{packets} packets");
}
