//! Bytes that may wait in memory: so many for one device, so many for all.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A number of bytes, lent and given back. What a part lends is taken from the whole as well.
pub(crate) struct Space {
    most: usize,
    used: AtomicUsize,
    whole: Option<Arc<Space>>,
}

impl Space {
    pub(crate) fn new(most: usize) -> Arc<Self> {
        Self::within(most, None)
    }

    /// A part that lends at most `most` of this space.
    pub(crate) fn part(self: &Arc<Self>, most: usize) -> Arc<Self> {
        Self::within(most, Some(Arc::clone(self)))
    }

    fn within(most: usize, whole: Option<Arc<Self>>) -> Arc<Self> {
        let used = AtomicUsize::new(0);
        Arc::new(Self { most, used, whole })
    }

    /// Lends some bytes until the answer is dropped; `None` when they aren't there.
    pub(crate) fn lend(self: &Arc<Self>, bytes: usize) -> Option<Lent> {
        self.take(bytes).then(|| Lent {
            bytes,
            space: Arc::clone(self),
        })
    }

    fn take(&self, bytes: usize) -> bool {
        let more = |used: usize| used.checked_add(bytes).filter(|used| *used <= self.most);
        let order = Ordering::Relaxed;
        if self.used.fetch_update(order, order, more).is_err() {
            return false;
        }
        let whole = self.whole.as_ref().is_none_or(|whole| whole.take(bytes));
        if !whole {
            self.used.fetch_sub(bytes, order);
        }
        whole
    }

    fn give_back(&self, bytes: usize) {
        self.used.fetch_sub(bytes, Ordering::Relaxed);
        if let Some(whole) = &self.whole {
            whole.give_back(bytes);
        }
    }
}

/// Bytes that are in use while this lives.
pub(crate) struct Lent {
    bytes: usize,
    space: Arc<Space>,
}

impl Drop for Lent {
    fn drop(&mut self) {
        self.space.give_back(self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_and_the_whole_lend_what_they_have_and_get_it_back() {
        let whole = Space::new(10);
        let [a, b] = [whole.part(7), whole.part(7)];
        let lent = a.lend(6).unwrap();
        assert!(a.lend(2).is_none(), "beyond the part");
        assert!(b.lend(5).is_none(), "beyond the whole");
        // What the whole refused is not missing in the part.
        let rest = b.lend(4).unwrap();
        assert!(a.lend(1).is_none() && a.lend(usize::MAX).is_none());
        drop(lent);
        assert!(a.lend(6).is_some());
        drop(rest);
        assert!(b.lend(7).is_some());
    }
}
