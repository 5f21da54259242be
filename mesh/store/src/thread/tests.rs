use std::task::{Context, Poll, Waker};

use super::*;
use crate::{
    MemoryStore,
    conformance::{ROOM, event},
};

fn start() -> (StoreHandle, thread::JoinHandle<()>) {
    spawn(Box::new(MemoryStore::new().unwrap())).unwrap()
}

/// Holds the store thread until the returned sender is dropped.
fn pause(handle: &StoreHandle) -> SyncSender<()> {
    let (hold, held) = sync_channel::<()>(0);
    drop(handle.run(move |_| {
        let _ = held.recv();
        Ok(())
    }));
    hold
}

#[test]
fn waiting_commits_share_one() {
    let (handle, _thread) = start();
    let hold = pause(&handle);
    let replies: Vec<_> = (1..=50)
        .map(|seq| handle.commit(vec![Write::Event(event(1, 1, seq, 0))]))
        .collect();
    drop(hold);
    replies.into_iter().for_each(|reply| reply.wait().unwrap());
    let stats = handle.read(|store| Ok(store.stats())).wait().unwrap();
    assert_eq!((stats.commits, stats.writes), (1, 50));
}

#[test]
fn a_refused_commit_does_not_spoil_its_group() {
    let (handle, _thread) = start();
    let hold = pause(&handle);
    let first = handle.commit(vec![Write::OwnEvent(event(1, 1, 1, 0))]);
    let fork = handle.commit(vec![Write::OwnEvent(event(1, 1, 1, 9))]);
    let large = handle.commit(vec![Write::Meta {
        key: vec![],
        value: Some(vec![0; crate::limits::VALUE_MAX + 1]),
    }]);
    let last = handle.commit(vec![Write::OwnEvent(event(1, 1, 2, 0))]);
    drop(hold);
    assert!(matches!(fork.wait(), Err(StoreError::SeqUsed { .. })));
    assert!(matches!(large.wait(), Err(StoreError::TooLarge { .. })));
    first.wait().unwrap();
    last.wait().unwrap();
    assert_eq!(
        handle
            .read(|store| store.page(ROOM, None, 9))
            .wait()
            .unwrap()
            .len(),
        2
    );
}

#[test]
fn a_read_sees_the_commits_before_it() {
    let (handle, _thread) = start();
    let commit = handle.commit(vec![Write::Event(event(1, 1, 1, 0))]);
    let read = handle.read(|store| store.page(ROOM, None, 9));
    assert_eq!(read.wait().unwrap().len(), 1);
    commit.wait().unwrap();
}

#[test]
fn a_full_queue_answers_busy() {
    let (handle, _thread) = start();
    let hold = pause(&handle);
    let replies: Vec<_> = (0..QUEUE_MAX + 2)
        .map(|_| handle.read(|_| Ok(())))
        .collect();
    drop(hold);
    let busy = replies
        .into_iter()
        .map(Reply::wait)
        .filter(|r| matches!(r, Err(StoreError::Busy)))
        .count();
    // The thread may have taken the first request from the queue already, or not.
    assert!((1..=3).contains(&busy), "{busy} were refused");
}

#[test]
fn the_last_handle_closes_the_store_after_its_queue() {
    let (handle, thread) = start();
    let reply = handle.commit(vec![Write::Event(event(1, 1, 1, 0))]);
    drop(handle);
    reply.wait().unwrap();
    thread.join().unwrap();
}

#[test]
fn a_reply_is_a_future() {
    let (handle, _thread) = start();
    let hold = pause(&handle);
    let mut reply = std::pin::pin!(handle.commit(vec![]));
    let mut context = Context::from_waker(Waker::noop());
    assert!(reply.as_mut().poll(&mut context).is_pending());
    drop(hold);
    handle.read(|_| Ok(())).wait().unwrap();
    assert!(matches!(
        reply.as_mut().poll(&mut context),
        Poll::Ready(Ok(()))
    ));
}

#[test]
fn a_store_that_died_answers_closed() {
    let (handle, thread) = start();
    let dying: Reply<()> = handle.run(|_| panic!("on purpose"));
    assert!(matches!(dying.wait(), Err(StoreError::Closed)));
    assert!(thread.join().is_err());
    assert!(matches!(
        handle.commit(vec![]).wait(),
        Err(StoreError::Closed)
    ));
}
