//! The engine in a small deterministic network: virtual time, stores in memory, seeded faults.

mod faults;
mod history;
mod hostile;
mod live;
mod net;
