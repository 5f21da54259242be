//! Whom a message could have reached at all: time-respecting flooding over every possible contact.
//!
//! At each step whoever is connected, over any number of contacts of that step, with somebody who
//! has the message gets it: no protocol can be faster or reach more, as a step is long beside a hop. The oracle knows no
//! cap of links, no dialling and no detection of dead links.

use super::Trace;

/// By step, by person: the group of those connected with each other, named by its least member.
#[derive(Debug)]
pub struct Oracle {
    groups: Vec<Vec<usize>>,
}

impl Oracle {
    /// Looks at every step of a trace.
    #[must_use]
    pub fn new(trace: &Trace, range_m: f32) -> Self {
        let groups = (0..trace.steps())
            .map(|step| {
                let mut group: Vec<usize> = (0..trace.people()).collect();
                for (a, b, _) in trace.in_range(step, range_m) {
                    let (a, b) = (root(&group, a), root(&group, b));
                    group[a.max(b)] = a.min(b);
                }
                (0..group.len())
                    .map(|person| root(&group, person))
                    .collect()
            })
            .collect();
        Self { groups }
    }

    /// By person: at which step, `from` to `to`, a message that `author` writes at step `from` can be there.
    ///
    /// # Panics
    /// `author` is not in the trace.
    #[must_use]
    pub fn reach(&self, author: usize, from: usize, to: usize) -> Vec<Option<usize>> {
        let people = self.groups.first().map_or(0, Vec::len);
        let mut since = vec![None; people];
        since[author] = Some(from);
        for (step, groups) in self.groups.iter().enumerate().take(to + 1).skip(from) {
            let mut lit = vec![false; people];
            for (person, &group) in groups.iter().enumerate() {
                lit[group] |= since[person].is_some();
            }
            for (person, &group) in groups.iter().enumerate() {
                if lit[group] {
                    since[person].get_or_insert(step);
                }
            }
        }
        since
    }
}

fn root(group: &[usize], mut person: usize) -> usize {
    while group[person] != person {
        person = group[person];
    }
    person
}

#[cfg(test)]
mod tests {
    use super::*;

    /// First 0 and 1 meet, then 1 and 2; 3 is alone.
    fn relay() -> Trace {
        let first = Trace::still(&[[0.0, 0.0], [10.0, 0.0], [90.0, 0.0], [500.0, 0.0]], 1);
        let second = Trace::still(&[[0.0, 0.0], [80.0, 0.0], [90.0, 0.0], [500.0, 0.0]], 1);
        first.then(&second)
    }

    #[test]
    fn a_message_travels_with_those_who_carry_it() {
        let oracle = Oracle::new(&relay(), 20.0);
        assert_eq!(oracle.reach(0, 0, 0), [Some(0), Some(0), None, None]);
        assert_eq!(oracle.reach(0, 0, 1), [Some(0), Some(0), Some(1), None]);
    }

    #[test]
    fn a_message_does_not_travel_back_in_time() {
        let oracle = Oracle::new(&relay(), 20.0);
        assert_eq!(oracle.reach(2, 0, 1), [None, Some(1), Some(0), None]);
        assert_eq!(oracle.reach(0, 1, 1), [Some(1), None, None, None]);
    }

    #[test]
    fn a_step_is_long_enough_for_any_number_of_hops() {
        let row: Vec<[f32; 2]> = (0u8..30).map(|n| [f32::from(n) * 15.0, 0.0]).collect();
        let oracle = Oracle::new(&Trace::still(&row, 1), 20.0);
        assert!(
            oracle
                .reach(0, 0, 0)
                .into_iter()
                .all(|since| since == Some(0))
        );
    }
}
