//! The engine in a small deterministic network: virtual time, stores in memory, seeded faults.

#![expect(clippy::cast_possible_truncation, reason = "dice with few sides")]

mod broadcast;
mod chaos;
mod crowd;
mod disk;
mod faults;
mod floods;
mod forks;
mod history;
mod hostile;
mod live;
mod make;
mod mallory;
mod net;
mod node;
mod overlay;
mod sync;
mod unicast;
mod unicast_hostile;
