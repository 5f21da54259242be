//! How many relays there may be: in all, for one username, for one address.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::TurnLimits;
use crate::addresses::Address;

/// Counts relays. Invariant: no count is 0, and every count is that of the tickets alive.
#[derive(Default)]
pub(super) struct Quotas {
    counts: Mutex<Counts>,
}

#[derive(Default)]
struct Counts {
    all: usize,
    by_user: HashMap<String, usize>,
    by_address: HashMap<Address, usize>,
}

/// The right to one relay. Dropping it gives the place back.
pub(super) struct Ticket {
    quotas: Arc<Quotas>,
    user: String,
    address: Address,
}

/// Which quota is used up.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum UsedUp {
    /// This username's or this address's.
    Theirs,
    /// The server's.
    Everybodys,
}

impl Quotas {
    /// A place for one more relay.
    pub(super) fn take(
        self: &Arc<Self>,
        user: &str,
        address: Address,
        limits: &TurnLimits,
    ) -> Result<Ticket, UsedUp> {
        let mut counts = self.counts();
        if counts.all >= limits.allocations {
            return Err(UsedUp::Everybodys);
        }
        let of_user = counts.by_user.get(user).copied().unwrap_or(0);
        let of_address = counts.by_address.get(&address).copied().unwrap_or(0);
        if of_user >= limits.allocations_per_user || of_address >= limits.allocations_per_address {
            return Err(UsedUp::Theirs);
        }
        counts.all += 1;
        counts.by_user.insert(user.to_owned(), of_user + 1);
        counts.by_address.insert(address, of_address + 1);
        Ok(Ticket {
            quotas: Arc::clone(self),
            user: user.to_owned(),
            address,
        })
    }

    /// Relays that there are.
    pub(super) fn count(&self) -> usize {
        self.counts().all
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        // Nothing in here panics halfway through a change.
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut counts = self.quotas.counts();
        counts.all = counts.all.saturating_sub(1);
        if let Some(count) = counts.by_user.get_mut(&self.user) {
            *count -= 1;
            if *count == 0 {
                counts.by_user.remove(&self.user);
            }
        }
        if let Some(count) = counts.by_address.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                counts.by_address.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_quota_holds_and_is_given_back() {
        let limits = TurnLimits {
            allocations: 4,
            allocations_per_user: 2,
            allocations_per_address: 3,
            ..TurnLimits::default()
        };
        let quotas = Arc::new(Quotas::default());
        let [here, there] = [Address::V4(1), Address::V4(2)];
        let take = |user, address| quotas.take(user, address, &limits);
        let [a1, _a2] = [take("a", here).unwrap(), take("a", here).unwrap()];
        assert_eq!(take("a", there).err(), Some(UsedUp::Theirs), "the user's");
        let b = take("b", here).unwrap();
        assert_eq!(take("b", here).err(), Some(UsedUp::Theirs), "the address's");
        let c = take("c", there).unwrap();
        assert_eq!(take("d", there).err(), Some(UsedUp::Everybodys));
        drop(a1);
        assert!(take("a", here).is_ok());
        drop((b, c, _a2));
        let counts = quotas.counts();
        assert!(counts.all == 0 && counts.by_user.is_empty() && counts.by_address.is_empty());
    }
}
