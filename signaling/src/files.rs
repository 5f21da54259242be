//! How many files the process may have open: a socket is one.

use crate::Limits;

/// Files beside the sockets of devices and relays: the database's, Redis', the listener, the runtime's own.
const OTHERS: usize = 64;

/// Raises the process's own limit of open files, as far as the system lets it, to what these limits of connections take.
/// Returns how many devices then fit, where that is fewer. Linux gives 1,024 unless told otherwise.
#[must_use]
pub fn make_room_for(limits: &Limits) -> Option<usize> {
    let relays = limits.turn.allocations;
    let beside = limits
        .spare_sockets
        .saturating_add(relays)
        .saturating_add(OTHERS);
    let wanted = limits.connections.saturating_add(beside);
    let room = usize::try_from(raise(wanted as u64)?).ok()?;
    (room < wanted).then(|| room.saturating_sub(beside))
}

/// The limit afterwards; `None` where there is none.
#[cfg(unix)]
fn raise(wanted: u64) -> Option<u64> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let current = current?;
    let reachable = maximum.map_or(wanted, |maximum| wanted.min(maximum));
    if current >= wanted || current >= reachable {
        return Some(current);
    }
    let raised = Rlimit {
        current: Some(reachable),
        maximum,
    };
    match setrlimit(Resource::Nofile, raised) {
        Ok(()) => Some(reachable),
        Err(_) => Some(current),
    }
}

#[cfg(not(unix))]
fn raise(_wanted: u64) -> Option<u64> {
    None
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn room_is_made_or_the_lack_of_it_told() {
        let few = Limits {
            connections: 1,
            ..Limits::default()
        };
        assert_eq!(make_room_for(&few), None);
        let many = Limits {
            connections: usize::MAX / 2,
            ..Limits::default()
        };
        let fit = make_room_for(&many);
        assert!(fit.is_none_or(|fit| fit < many.connections), "{fit:?}");
    }
}
