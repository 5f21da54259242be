//! How one engine differs from the others.

/// How this engine differs from the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Config {
    /// Spreads the engines' timers and choices. Any number that other devices are unlikely to have.
    pub salt: u64,
    /// How many links it keeps.
    pub degree: Degree,
    /// What is switched off; nothing in a product.
    pub controls: Controls,
}

/// How many links a device keeps, over all rooms (counts).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Degree {
    /// Neighbours that each room gets at least, while there are members to link with.
    pub floor: usize,
    /// Links that it goes for: 8 on a laptop, 6 on a phone.
    pub active: usize,
    /// Links beyond which surplus ones are closed.
    pub cap: usize,
}

impl Default for Degree {
    fn default() -> Self {
        Self {
            floor: 4,
            active: 8,
            cap: 12,
        }
    }
}

/// One switch per mechanism, for the negative controls of tests: with one off, what it is for
/// has to fail there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub struct Controls {
    /// Heads, digests and fetching.
    pub sync: bool,
    /// Remembering and probing peers that were lost.
    pub lost_peers: bool,
    /// Pruning duplicates, so that trees grow.
    pub prune: bool,
    /// Announcing to pruned links, and grafting what is missing.
    pub lazy: bool,
    /// Other ways for a message to one member when the first fails.
    pub alternates: bool,
    /// Keeping messages for members that are away.
    pub custody: bool,
    /// Taking events elsewhere than from overloaded neighbours.
    pub load: bool,
}

impl Default for Controls {
    fn default() -> Self {
        Self {
            sync: true,
            lost_peers: true,
            prune: true,
            lazy: true,
            alternates: true,
            custody: true,
            load: true,
        }
    }
}
