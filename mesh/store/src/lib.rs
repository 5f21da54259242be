//! Durable storage of events: a trait, sled behind it, memory beside it.
