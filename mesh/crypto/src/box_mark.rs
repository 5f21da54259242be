//! By what a carrier box is recognised on a network.
//!
//! ```text
//!  SHA-256("pn/box/1" | box key 32 | slot 8 BE)[..8]     slot = 10 minutes, as for tags
//! ```
//!
//! Who holds a pass of a box knows its key, and so its marks; to others they are noise that changes with every slot.
//! A mark proves nothing: whoever hears one can repeat it. The box proves itself over the connection.

use sha2::{Digest as _, Sha256};

use crate::discovery::Slot;

/// Names a box to those who know its key, for ten minutes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BoxMark(pub [u8; Self::LEN]);

impl BoxMark {
    /// Bytes of a mark.
    pub const LEN: usize = 8;

    /// What the box of that public key says in a slot.
    pub fn of(box_key: &[u8; 32], slot: Slot) -> Self {
        let hash = Sha256::new()
            .chain_update(b"pn/box/1")
            .chain_update(box_key)
            .chain_update(slot.number().to_be_bytes())
            .finalize();
        let mut mark = [0; Self::LEN];
        mark.iter_mut().zip(hash).for_each(|(to, from)| *to = from);
        Self(mark)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use peddlenet_wire::Timestamp;

    use super::*;

    #[test]
    fn a_mark_is_of_one_box_and_ten_minutes() {
        let now = Timestamp(1_800_000_000_000);
        let slots: Vec<_> = Slot::around(now).collect();
        assert_eq!(slots.len(), crate::discovery::SLOTS);
        assert!(slots.contains(&Slot::at(now)));
        let of = |key: u8| slots.iter().map(move |slot| BoxMark::of(&[key; 32], *slot));
        let all: BTreeSet<_> = of(1).chain(of(2)).collect();
        assert_eq!(all.len(), 2 * slots.len());
        // SHA-256 of "pn/box/1", 32 bytes of 1 and the number 3,000,000, by another program.
        assert_eq!(BoxMark::of(&[1; 32], Slot::at(now)).0, VECTOR);
    }

    const VECTOR: [u8; 8] = [0x5a, 0x7f, 0x05, 0xdf, 0x99, 0xee, 0x72, 0x70];
}
