//! What is yet to happen, by time and then by the order in which it was scheduled.

use std::{cmp::Reverse, collections::BinaryHeap};

/// A priority queue whose heap moves 24 bytes an entry, whatever the entries hold.
pub(crate) struct Queue<T> {
    heap: BinaryHeap<Reverse<(u64, u64, u32)>>,
    slots: Vec<Option<T>>,
    free: Vec<u32>,
    serial: u64,
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self {
            heap: BinaryHeap::new(),
            slots: Vec::new(),
            free: Vec::new(),
            serial: 0,
        }
    }
}

impl<T> Queue<T> {
    pub(crate) fn push(&mut self, at_us: u64, what: T) {
        let slot = match self.free.pop() {
            Some(slot) => {
                self.slots[slot as usize] = Some(what);
                slot
            }
            None => {
                self.slots.push(Some(what));
                self.slots.len() as u32 - 1
            }
        };
        self.serial += 1;
        self.heap.push(Reverse((at_us, self.serial, slot)));
    }

    /// The next entry, if it is due by `end`.
    pub(crate) fn pop(&mut self, end: u64) -> Option<(u64, T)> {
        let &Reverse((at, _, slot)) = self.heap.peek()?;
        if at > end {
            return None;
        }
        self.heap.pop();
        self.free.push(slot);
        Some((at, self.slots[slot as usize].take()?))
    }
}
