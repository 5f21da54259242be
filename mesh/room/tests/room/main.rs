//! Rooms of many devices, without a network: who belongs and what can be read, whatever came first.

mod acts;
mod device;
mod partitions;
