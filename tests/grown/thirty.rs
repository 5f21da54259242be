//! Thirty devices and one code: a mesh, not a star around who showed the code.
//!
//! ```text
//!  grow      29 join by one code; links spread until no single device holds the room together
//!  kill      the inviter and ten others, SIGKILL, at one moment
//!  talk      everybody left says something: heard by all others, once
//!  restart   the killed ones come back and catch up with all that was said meanwhile
//! ```

use std::collections::BTreeSet;

use crate::{
    alone,
    town::{Links, Town, is_connected, without},
};

const SIZE: usize = 30;
/// Who showed the code.
const INVITER: usize = 0;
/// Links of one device (count): the engine's cap.
const CAP: usize = 12;
/// Devices that may be above the cap for a moment (count), while links are handed over.
const ABOVE_CAP: usize = 2;
/// Links that each device has at least (count).
const LEAST: usize = 2;

/// Whether no single device's end, nor its links alone, take the room apart.
fn is_mesh(links: &Links) -> Result<(), String> {
    let degrees: Vec<_> = links.values().map(BTreeSet::len).collect();
    let above = degrees.iter().filter(|n| **n > CAP).count();
    if above > ABOVE_CAP {
        return Err(format!("{above} above the cap: {degrees:?}"));
    }
    if degrees.iter().any(|n| *n < LEAST) {
        return Err(format!("hanging by a thread: {degrees:?}"));
    }
    match links
        .keys()
        .find(|n| !is_connected(&without(links, &[**n])))
    {
        Some(n) => Err(format!("all hangs on n{n}: {degrees:?}")),
        None => Ok(()),
    }
}

fn is_whole(links: &Links) -> Result<(), String> {
    if is_connected(links) {
        Ok(())
    } else {
        Err(format!("in pieces: {links:?}"))
    }
}

#[test]
fn a_room_of_thirty_outlives_its_inviter_and_ten_others() {
    let _alone = alone();
    let mut town = Town::grown("Thirty", SIZE);
    town.until_linked("a mesh of thirty", is_mesh);
    town.until_same("thirty with the same room");
    town.all_say("good morning", &[INVITER, 7, 19]);

    // The inviter and every third of the rest but one.
    let killed: Vec<_> = (0..SIZE).step_by(3).chain([1]).collect();
    assert!(killed.contains(&INVITER) && killed.len() == 11);
    for n in &killed {
        town.kill(*n);
    }
    let left = town.up();
    // No pause: the first messages meet links that nobody knows to be dead, yet.
    town.all_say("right after", &left);
    town.until_linked("the rest in one piece", is_whole);
    town.all_say("a little later", &left);

    for n in &killed {
        town.restart(*n);
    }
    town.until_same("everybody has everything");
    town.until_linked("a mesh again", is_mesh);
    town.all_say("together again", &killed);
}
