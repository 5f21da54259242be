//! Sets that differ, cells that lie.

#![expect(clippy::cast_possible_truncation, reason = "small test numbers")]

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

/// Entries with distinct names and values that depend on the seed.
fn entries(count: usize, seed: u64) -> Vec<Entry> {
    let mut named = BTreeMap::new();
    let mut state = seed;
    while named.len() < count {
        state = mix(state);
        let name = (state >> 33) as u32;
        let value = WHOLE | (mix(state) & (WHOLE - 1));
        named.insert(name, Entry { name, value });
    }
    named.into_values().collect()
}

/// Ours, and theirs with `changed` other heads, `fewer` logs less and `more` logs more.
fn pair(
    common: usize,
    changed: usize,
    fewer: usize,
    more: usize,
    seed: u64,
) -> (Vec<Entry>, Vec<Entry>) {
    let all = entries(common + changed + fewer + more, seed);
    let ours = all[..common + changed + fewer].to_vec();
    let mut theirs = all[..common + changed].to_vec();
    for entry in &mut theirs[common..] {
        entry.value ^= 1 << SEQ_SHIFT;
    }
    theirs.extend(&all[common + changed + fewer..]);
    (ours, theirs)
}

fn by_name(mut found: Vec<Difference>) -> Vec<Difference> {
    found.sort_by_key(|d| d.name);
    found
}

fn expected(ours: &[Entry], theirs: &[Entry]) -> Vec<Difference> {
    let mut names: Vec<u32> = ours.iter().chain(theirs).map(|e| e.name).collect();
    names.sort_unstable();
    names.dedup();
    let value = |set: &[Entry], name| set.iter().find(|e| e.name == name).map_or(0, |e| e.value);
    names.retain(|&name| value(ours, name) != value(theirs, name));
    let difference = |name| Difference {
        name,
        own: ours.iter().position(|e| e.name == name),
        theirs: held_as(value(theirs, name)),
    };
    names.into_iter().map(difference).collect()
}

#[test]
fn three_cells_a_difference_are_enough_but_for_two_rows_in_a_thousand() {
    let fails = |seed: u64| {
        let [changed, fewer, more] =
            [seed % 60, seed / 60 % 20, seed / 1_200 % 20].map(|n| n as usize);
        let (ours, theirs) = pair(20, changed, fewer, more, mix(seed));
        let sent = cells(&theirs, 0, 3 * (changed + fewer + more) + 30);
        decode(&sent, &ours).is_none()
    };
    let failed = (0..4_000).filter(|&seed| fails(seed)).count();
    assert!(failed <= 8, "{failed} of 4000");
}

proptest! {
    #[test]
    fn any_difference_decodes_from_enough_cells_in_either_direction(
        common in 0usize..300, changed in 0usize..60, fewer in 0usize..20, more in 0usize..20, seed: u64,
    ) {
        let (ours, theirs) = pair(common, changed, fewer, more, seed);
        let enough = 3 * (changed + fewer + more) + 30;
        for (own, other) in [(&ours, &theirs), (&theirs, &ours)] {
            // Few rows want more than that; then the other end sends more of the same row.
            let rows = [1, 2, 4].map(|times| times * enough);
            let found = rows.into_iter().find_map(|count| decode(&cells(other, 0, count), own));
            prop_assert_eq!(found.map(by_name), Some(expected(own, other)));
        }
    }

    #[test]
    fn the_order_of_entries_and_the_cut_of_the_row_do_not_matter(count in 1usize..80, cut in 0usize..100, seed: u64) {
        let mut set = entries(count, seed);
        let whole = cells(&set, 0, 100);
        set.reverse();
        let (head, tail) = (cells(&set, 0, cut), cells(&set, cut, 100 - cut));
        let joined: Vec<Cell> = head.iter().chain(tail.iter()).copied().collect();
        prop_assert_eq!(&joined[..], &whole[..]);
    }

    /// Too few cells are noticed, or they decode to the truth; never to anything else.
    #[test]
    fn too_few_cells_never_decode_to_something_false(changed in 1usize..80, count in 0usize..80, seed: u64) {
        let (ours, theirs) = pair(50, changed, 3, 3, seed);
        if let Some(found) = decode(&cells(&theirs, 0, count.max(4)), &ours) {
            prop_assert_eq!(by_name(found), expected(&ours, &theirs));
        }
    }

    #[test]
    fn any_cells_are_decoded_without_a_panic(raw in prop::collection::vec((any::<u64>(), any::<u64>()), 0..200), seed: u64) {
        let ours = entries(40, seed);
        let raw: Vec<Cell> = raw.into_iter().map(|(sum, weighted)| Cell { sum, weighted }).collect();
        // Whatever it says, it names no more logs than there are cells.
        prop_assert!(decode(&raw, &ours).is_none_or(|found| found.len() <= raw.len()));
    }

    #[test]
    fn a_changed_bit_is_noticed(changed in 0usize..20, at in 0usize..60, bit in 0u32..48, seed: u64) {
        let (ours, theirs) = pair(100, changed, 2, 2, seed);
        let sent = cells(&theirs, 0, 100);
        let mut row: Vec<Cell> = sent.iter().copied().collect();
        row[at].sum ^= 1 << bit;
        prop_assert_eq!(decode(&row, &ours), None);
    }
}

/// As the paper has it: 1.35 cells a difference in the long run, more for few.
#[test]
fn most_sketches_of_the_first_size_decode() {
    for differences in [1, 2, 3, 5, 10, 20, 30, 60, 100, 300, 1_000] {
        let tries = if differences > 50 { 20 } else { 100 };
        let decoded = (0..tries).filter(|&seed| {
            let (ours, theirs) = pair(1_000, differences, 0, 0, seed);
            decode(&cells(&theirs, 0, enough_for(differences)), &ours).is_some()
        });
        let share = decoded.count() * 100 / tries as usize;
        println!(
            "{differences} differences in {} cells: {share} %",
            enough_for(differences)
        );
        assert!(share >= 90, "{differences}: {share} %");
    }
}

/// The neighbour of two logs under one name is told that something differs there, not what.
#[test]
fn two_logs_under_one_name_are_not_confused() {
    let (ours, theirs) = pair(10, 3, 0, 0, 7);
    let twice = |set: &[Entry]| {
        let twin = Entry {
            name: set[11].name,
            value: WHOLE | 5,
        };
        set.iter().copied().chain([twin]).collect::<Vec<_>>()
    };
    let found = decode(&cells(&twice(&theirs), 0, 40), &twice(&ours)).unwrap();
    assert_eq!(found.len(), 3);
    let double = found.iter().find(|d| d.name == ours[11].name).unwrap();
    assert_eq!(double.own, None);
}

#[test]
fn a_cell_is_where_the_density_says() {
    const NAMES: u32 = 20_000;
    let mut counts = [0u32; 40];
    for name in 0..NAMES {
        let inside = places(name * 7 + 1).take_while(|&at| at < 40);
        inside.for_each(|at| counts[at as usize] += 1);
    }
    for (at, count) in counts.into_iter().enumerate() {
        let share = f64::from(count) / f64::from(NAMES);
        let wanted = 1.0 / (1.0 + at as f64 / 2.0);
        assert!(
            (share - wanted).abs() < 0.02,
            "cell {at}: {share} for {wanted}"
        );
    }
}

/// Junk that is as long as may be costs milliseconds.
#[test]
fn the_longest_junk_ends() {
    let ours = entries(5_000, 3);
    let mut state = 1;
    let mut number = || {
        state = mix(state);
        state
    };
    let junk: Vec<Cell> = (0..2_000)
        .map(|_| Cell {
            sum: number(),
            weighted: number(),
        })
        .collect();
    assert_eq!(decode(&junk, &ours), None);
    // The same log in each cell, which an encoder never makes.
    let same = vec![
        Cell {
            sum: 5,
            weighted: 5 * (key(9) % PRIME)
        };
        2_000
    ];
    assert_eq!(decode(&same, &ours[..0]), None);
}
