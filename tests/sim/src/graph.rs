//! The overlay that a run starts with.

use std::collections::BTreeSet;

use crate::Dice;

/// A random graph of about `degree` links a node: a union of `degree / 2` random rings, so that it
/// is connected and, but for the few pairs that two rings share, regular.
pub fn rings(nodes: u32, degree: u32, dice: &mut Dice) -> Vec<(u32, u32)> {
    let mut pairs = BTreeSet::new();
    let mut order: Vec<u32> = (0..nodes).collect();
    for _ in 0..degree.div_ceil(2) {
        dice.shuffle(&mut order);
        for (i, &a) in order.iter().enumerate() {
            let b = order[(i + 1) % order.len()];
            if a != b {
                pairs.insert((a.min(b), a.max(b)));
            }
        }
    }
    pairs.into_iter().collect()
}
