//! Which keys may open a link, and in which order a first packet is tried with them.
//!
//! Members announce themselves with the newest epoch they hold, so newest epochs come first, of
//! every room in turn; a device that was away for ten epochs still finds its own among the rest. An
//! epoch counts for [`MEMBER_KEYS_FOR`] after another took its place, and at most
//! [`MEMBER_GATES_MAX`] keys stand at a time, over all rooms.

use std::time::Duration;

use peddlenet_peer::front_door::MEMBER_GATES_MAX;
use peddlenet_wire::Timestamp;

/// How long the keys of an epoch open links after the next one came (design: links).
pub(super) const MEMBER_KEYS_FOR: Duration = Duration::from_secs(30 * 24 * 3600);

/// A key, and when another took its place; `None` for one that is in use.
pub(super) type Aged<K> = (K, Option<Timestamp>);

/// The keys to try, in order. Each room's come newest first.
pub(super) fn rank<K>(rooms: Vec<Vec<Aged<K>>>, now: Timestamp) -> Vec<K> {
    let counts = |(_, replaced): &Aged<K>| {
        replaced.is_none_or(|replaced| now.since(replaced) < MEMBER_KEYS_FOR)
    };
    let mut rooms: Vec<_> = rooms
        .into_iter()
        .map(|keys| keys.into_iter().filter(counts))
        .collect();
    let mut ranked = Vec::new();
    while ranked.len() < MEMBER_GATES_MAX {
        let before = ranked.len();
        let round = rooms.iter_mut().filter_map(Iterator::next);
        ranked.extend(round.map(|(key, _)| key));
        if ranked.len() == before {
            break;
        }
    }
    ranked.truncate(MEMBER_GATES_MAX);
    ranked
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_800_000_000_000);
    const DAY: u64 = 24 * 3_600_000;

    /// A room whose epochs were replaced one a day, newest first.
    fn room(name: u32, epochs: u32) -> Vec<Aged<(u32, u32)>> {
        let replaced = |n: u32| (n > 0).then(|| Timestamp(NOW.0 - u64::from(n) * DAY));
        (0..epochs).map(|n| ((name, n), replaced(n))).collect()
    }

    #[test]
    fn the_newest_of_every_room_come_first() {
        let ranked = rank(vec![room(0, 3), room(1, 1), room(2, 2)], NOW);
        let expected = [(0, 0), (1, 0), (2, 0), (0, 1), (2, 1), (0, 2)];
        assert_eq!(ranked, expected);
    }

    #[test]
    fn who_was_away_for_ten_epochs_is_known_and_for_a_month_is_not() {
        let ranked = rank(vec![room(0, 200)], NOW);
        assert!(ranked.contains(&(0, 10)) && ranked.contains(&(0, 29)));
        assert!(!ranked.contains(&(0, 30)));
    }

    #[test]
    fn rooms_with_many_epochs_crowd_nobody_out() {
        let many = |name| (0..256).map(|n| ((name, n), None)).collect();
        let ranked = rank((0..64).map(many).collect(), NOW);
        assert_eq!(ranked.len(), MEMBER_GATES_MAX);
        for name in 0..64 {
            assert_eq!(ranked.iter().filter(|(room, _)| *room == name).count(), 4);
            assert!(ranked.contains(&(name, 0)));
        }
    }
}
