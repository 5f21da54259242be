//! What hostile relays can do to messages to one member, and can not.

use peddlenet_gossip::{Action, Input, Outcome, PeerId, Why};
use peddlenet_wire::{
    AuthorId, Frame, Timestamp, limits,
    route::{Answer, Route, RouteReply, Task},
};

use crate::{
    mallory::{MALLORY, misbehaved, with_mallory},
    net::{Net, ROOM, author},
    unicast::send,
};

fn route(id: u64, task: Task, from: Option<AuthorId>, to: Option<AuthorId>) -> Route {
    Route {
        room: ROOM.short(),
        task,
        from,
        to,
        id: id.to_be_bytes(),
        attempt: 0,
        ttl: 16,
        payload: match task {
            Task::Search => vec![],
            _ => format!("forged {id}").into_bytes(),
        },
    }
}

fn give(net: &mut Net, peer: PeerId, route: Route) -> Vec<Action> {
    let frame = Frame::Route(route);
    let now = Timestamp(net.now);
    let input = Input::Frame { from: peer, frame };
    net.nodes[0].engine.handle(input, now).collect()
}

fn reply(net: &mut Net, peer: PeerId, from: AuthorId, id: u64, answer: Answer) -> Vec<Action> {
    let frame = Frame::RouteReply(RouteReply {
        room: ROOM.short(),
        from: from.short(),
        id: id.to_be_bytes(),
        attempt: 0,
        answer,
    });
    let now = Timestamp(net.now);
    let input = Input::Frame { from: peer, frame };
    net.nodes[0].engine.handle(input, now).collect()
}

fn answers(actions: &[Action]) -> Vec<Answer> {
    let answer = |a: &Action| match a {
        Action::Send {
            frame: Frame::RouteReply(r),
            ..
        } => Some(r.answer),
        _ => None,
    };
    actions.iter().filter_map(answer).collect()
}

fn passed_on(actions: &[Action]) -> usize {
    let is_route = |a: &&Action| {
        matches!(
            a,
            Action::Send {
                frame: Frame::Route(_),
                ..
            }
        )
    };
    actions.iter().filter(is_route).count()
}

#[test]
fn a_replay_is_not_passed_on_or_delivered_again() {
    let (mut net, peer) = with_mallory(1);
    let to = Some(author(1));
    let first = give(&mut net, peer, route(1, Task::Pass, None, to));
    assert_eq!(
        (passed_on(&first), answers(&first)),
        (1, vec![Answer::Accepted])
    );
    for _ in 0..5 {
        let again = give(&mut net, peer, route(1, Task::Pass, None, to));
        assert_eq!(passed_on(&again), 0);
    }
    let for_us = give(&mut net, peer, route(2, Task::Pass, None, None));
    let again = give(&mut net, peer, route(2, Task::Pass, None, None));
    let delivered = |actions: &[Action]| {
        let is = |a: &&Action| matches!(a, Action::DeliverTo { .. });
        actions.iter().filter(is).count()
    };
    assert_eq!((delivered(&for_us), delivered(&again)), (1, 0));
    assert_eq!(answers(&again), [Answer::Delivered]);
}

#[test]
fn a_ttl_that_is_too_large_is_cut() {
    let (mut net, peer) = with_mallory(9);
    let endless = Route {
        ttl: u8::MAX,
        ..route(1, Task::Pass, None, Some(author(1)))
    };
    let actions = give(&mut net, peer, endless);
    let ttl = actions.iter().find_map(|action| match action {
        Action::Send {
            frame: Frame::Route(r),
            ..
        } => Some(r.ttl),
        _ => None,
    });
    let honest = peddlenet_gossip::limits::ROUTE_TTL;
    assert_eq!(ttl, Some(honest - 1));
}

#[test]
fn a_forged_message_does_not_take_the_place_of_the_true_one() {
    let (mut net, peer) = with_mallory(2);
    // The same id and sender, another payload: both come through, and the seal tells.
    net.give(
        0,
        Input::Frame {
            from: peer,
            frame: Frame::Route(route(7, Task::Pass, Some(author(1)), None)),
        },
    );
    let frame = Route {
        payload: b"the true one".to_vec(),
        ..route(7, Task::Pass, Some(author(1)), None)
    };
    let actions = give(&mut net, peer, frame);
    assert!(
        actions
            .iter()
            .any(|a| matches!(a, Action::DeliverTo { payload, .. } if payload == b"the true one"))
    );
}

#[test]
fn replies_that_nobody_waits_for_change_nothing() {
    let (mut net, peer) = with_mallory(3);
    net.say(1, "here");
    net.run_for(500);
    send(&mut net, 0, 1, 1);
    for answer in [
        Answer::Delivered,
        Answer::NoWay,
        Answer::Accepted,
        Answer::Found,
        Answer::Kept,
        Answer::Full,
    ] {
        // It was sent to the other neighbour.
        for id in [1, 2] {
            for from in [author(0), author(MALLORY), AuthorId::ZERO] {
                let actions = reply(&mut net, peer, from, id, answer);
                assert!(actions.is_empty(), "{answer:?}: {actions:?}");
            }
        }
    }
    net.run_for(500);
    assert_eq!(net.nodes[0].outcomes.len(), 1);
    assert_eq!(net.nodes[0].outcomes[0].1, Outcome::Delivered);
    assert_eq!(net.nodes[1].letters.len(), 1);
}

#[test]
fn a_flood_is_cut_off_and_costs_the_link() {
    let (mut net, peer) = with_mallory(4);
    let mut on = 0;
    for id in 0..20_000 {
        net.now += 5;
        let nowhere = AuthorId([0xee; 32]);
        let actions = give(&mut net, peer, route(id, Task::Search, None, Some(nowhere)));
        on += passed_on(&actions);
        for action in actions {
            if let Action::Drop { peer, why } = action {
                net.nodes[0].drops.push((peer, why));
            }
        }
        if !net.nodes[0].drops.is_empty() {
            break;
        }
    }
    assert!(on < 2_000, "{on} searches passed on");
    assert_eq!(net.nodes[0].drops, [(peer, Why::OverQuota)]);
}

#[test]
fn a_flood_of_replies_costs_the_link() {
    let (mut net, peer) = with_mallory(5);
    for id in 0..3_000 {
        reply(&mut net, peer, author(1), id, Answer::NoWay);
    }
    net.run_for(1);
    let frame = Frame::RouteReply(RouteReply {
        room: ROOM.short(),
        from: author(1).short(),
        id: [1; 8],
        attempt: 0,
        answer: Answer::NoWay,
    });
    net.now += 2_000;
    for _ in 0..3_000 {
        let frame = frame.clone();
        net.give(0, Input::Frame { from: peer, frame });
    }
    assert!(misbehaved(&net, Why::OverQuota) > 0);
}

#[test]
fn too_much_payload_or_payload_in_a_search_is_nonsense() {
    let (mut net, peer) = with_mallory(6);
    let long = Route {
        payload: vec![0; limits::UNICAST_MAX + 1],
        ..route(1, Task::Pass, None, Some(author(1)))
    };
    let stuffed = Route {
        payload: vec![0; 10],
        ..route(2, Task::Search, None, Some(author(1)))
    };
    for frame in [long, stuffed] {
        let frame = Frame::Route(frame);
        net.give(0, Input::Frame { from: peer, frame });
        net.now += 2_000;
    }
    assert_eq!(misbehaved(&net, Why::Nonsense), 2);
}

#[test]
fn only_words_of_a_neighbours_own_are_kept_and_not_too_many() {
    let (mut net, peer) = with_mallory(7);
    let away = Some(AuthorId([0xee; 32]));
    let of_others = give(&mut net, peer, route(1, Task::Keep, Some(author(5)), away));
    assert_eq!(answers(&of_others), [Answer::Full]);
    let mut kept = 0;
    for id in 0..500 {
        net.now += 100;
        let frame = Route {
            payload: vec![id as u8; limits::UNICAST_MAX],
            ..route(id, Task::Keep, None, away)
        };
        let actions = give(&mut net, peer, frame);
        kept += usize::from(answers(&actions) == [Answer::Kept]);
    }
    assert_eq!(kept, 32, "256 KiB of one author");
}

#[test]
fn an_own_message_that_comes_round_is_not_passed_on() {
    let (mut net, peer) = with_mallory(8);
    let id = send(&mut net, 0, 77, 5);
    let mut back = route(0, Task::Pass, Some(author(0)), Some(author(1)));
    back.id = id.0;
    back.payload = b"letter 5".to_vec();
    let actions = give(&mut net, peer, back);
    assert_eq!(
        (passed_on(&actions), answers(&actions)),
        (0, vec![Answer::NoWay])
    );
}
