//! The sealed backup: parcels that members leave under a day's tag for those who are away.
//!
//! ```text
//!  put ───> Parcel::check ──queue──> keeper thread ── Pool: number, quotas, doubles
//!            tag = hash of key         │              Shelf: one commit, one fsync for all that wait
//!            signature, pass           └─> kept, once it is durable
//!  fetch ──────────────────queue──> keeper thread ──> a page
//! ```
//!
//! The server can read none of it. It learns a tag, a key that belongs to that tag alone, sizes and times.
//! The core ([`check`], [`pool`]) is pure: the time is an argument. The keeper owns the state.

mod check;
#[cfg(test)]
mod conformance;
mod keeper;
mod pass;
mod pool;
mod shelf;

use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

use self::check::Parcel;
use self::keeper::{Keeper, Question};
pub(crate) use self::pool::Sum;
use self::shelf::Shelf;
use crate::ParcelLimits;
use crate::box_key::{BoxKey, BoxKeyError};
use crate::bucket::Bucket;
use crate::counts::Stock;
use crate::frames::{Put, Refusal, Tag};

/// Why the backup can't be offered.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BackupError {
    /// Another process has the folder.
    #[error("another process keeps its parcels in {0}; stop that one, or choose another folder")]
    InUse(String),
    /// The folder doesn't open, or not as parcels.
    #[error("the folder for parcels, {folder}: {why}")]
    Folder {
        /// Which folder.
        folder: String,
        /// What the store says.
        why: String,
    },
    /// A carrier box without a key.
    #[error(transparent)]
    Key(#[from] BoxKeyError),
}

/// Some parcels of a tag, oldest first.
#[derive(Debug, PartialEq)]
pub(crate) struct Page {
    pub(crate) parcels: Vec<(u64, Vec<u8>)>,
    pub(crate) more: bool,
}

/// An answer to come.
#[derive(Debug)]
pub(crate) struct Answer<T> {
    answered: oneshot::Receiver<Result<T, Refusal>>,
    deadline: Instant,
}

impl<T> Answer<T> {
    fn within(wait: Duration, answered: oneshot::Receiver<Result<T, Refusal>>) -> Self {
        let deadline = Instant::now() + wait;
        Self { answered, deadline }
    }

    /// Waits for it, not for ever. May be dropped halfway and called again.
    pub(crate) async fn wait(&mut self) -> Result<T, Refusal> {
        match timeout_at(self.deadline, &mut self.answered).await {
            Ok(Ok(answer)) => answer,
            // The keeper has ended.
            Ok(Err(_)) => Err(Refusal::NoBackup),
            Err(_) => Err(Refusal::RateLimited),
        }
    }
}

/// The backup as connections see it.
pub(crate) struct Parcels {
    keeper: Keeper,
    /// Signature checks of all devices together.
    checks: Mutex<Bucket>,
    /// Where this server is a carrier box.
    carrier: Option<BoxKey>,
    stock: Stock,
    limits: ParcelLimits,
}

impl Parcels {
    /// Opens or creates the backup in a folder that no other process has. Blocks.
    pub(crate) fn open(folder: &Path, limits: &ParcelLimits) -> Result<Self, BackupError> {
        Self::over(Shelf::on_disk(folder)?, folder, limits)
    }

    fn over(shelf: Shelf, folder: &Path, limits: &ParcelLimits) -> Result<Self, BackupError> {
        let failed = |why: String| BackupError::Folder {
            folder: folder.display().to_string(),
            why,
        };
        let pool = shelf
            .recount(limits)
            .map_err(|error| failed(error.to_string()))?;
        let stock = Stock::default();
        let keeper = Keeper::start(shelf, pool, folder, stock.clone(), limits)
            .map_err(|error| failed(error.to_string()))?;
        let rate = limits.checks_per_second;
        Ok(Self {
            keeper,
            carrier: None,
            stock,
            checks: Mutex::new(Bucket::full(rate, rate, Instant::now())),
            limits: limits.clone(),
        })
    }

    /// Makes this a carrier box.
    pub(crate) fn with_key(mut self, key: BoxKey) -> Self {
        self.carrier = Some(key);
        self
    }

    /// What is kept, for the metrics.
    pub(crate) fn stock(&self) -> &Stock {
        &self.stock
    }

    /// Checks a parcel and hands it to the keeper. The answer is its number, once it is durable.
    pub(crate) fn put(&self, put: Put) -> Result<Answer<u64>, Refusal> {
        if put.pass.is_some() && self.carrier.is_none() {
            return Err(Refusal::BadPass);
        }
        self.spend(if put.pass.is_some() { pass::CHECKS } else { 1 })?;
        let carrier = self.carrier.as_ref();
        let parcel = Parcel::check(put, unix_now(), carrier, &self.limits)?;
        self.keeper.ask(|answer| Question::Put(parcel, answer))
    }

    /// The box's key and its signature over a nonce.
    pub(crate) fn prove(&self, nonce: &[u8; 16]) -> Result<([u8; 32], [u8; 64]), Refusal> {
        let key = self.carrier.as_ref().ok_or(Refusal::NoBox)?;
        self.spend(1)?;
        Ok((key.public(), key.prove(nonce)))
    }

    /// Work with so many signatures.
    fn spend(&self, signatures: u32) -> Result<(), Refusal> {
        let mut checks = self.checks.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = checks.take_some(signatures, Instant::now());
        taken.then_some(()).ok_or(Refusal::RateLimited)
    }

    /// The parcels of a tag after a number.
    pub(crate) fn fetch(&self, tag: Tag, after: u64) -> Result<Answer<Page>, Refusal> {
        self.keeper
            .ask(|answer| Question::Fetch { tag, after, answer })
    }

    /// Finishes what was asked before and closes the store. Blocks.
    pub(crate) fn close(&self) {
        self.keeper.close();
    }
}

/// Seconds since 1970; 0 where the clock stands before it.
fn unix_now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}
