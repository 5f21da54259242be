//! The thread that owns pool and shelf. Whatever puts wait share one fsync; a fetch sees what was put before it.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::check::Parcel;
use super::pool::{Place, Pool};
use super::shelf::{Changes, Shelf};
use super::{Answer, Page, unix_now};
use crate::ParcelLimits;
use crate::counts::Stock;
use crate::frames::{Refusal, Tag};

type Reply<T> = oneshot::Sender<Result<T, Refusal>>;

/// What is asked of the keeper.
pub(super) enum Question {
    Put(Parcel, Reply<u64>),
    Fetch {
        tag: Tag,
        after: u64,
        answer: Reply<Page>,
    },
    Close,
}

/// The thread's other end.
pub(super) struct Keeper {
    queue: SyncSender<Question>,
    thread: Mutex<Option<JoinHandle<()>>>,
    wait: Duration,
}

impl Keeper {
    /// `folder`: on which disk it is looked how much is free.
    pub(super) fn start(
        shelf: Shelf,
        pool: Pool,
        folder: &Path,
        stock: Stock,
        limits: &ParcelLimits,
    ) -> io::Result<Self> {
        let (queue, questions) = sync_channel(limits.queue.max(1));
        let work = Work {
            shelf,
            pool,
            folder: folder.to_owned(),
            stock,
            disk_reserve: limits.disk_reserve,
            sweep_every: limits.sweep_every,
        };
        let thread = thread::Builder::new()
            .name("parcels".into())
            .spawn(move || work.run(&questions))?;
        Ok(Self {
            queue,
            thread: Mutex::new(Some(thread)),
            wait: limits.wait,
        })
    }

    /// Puts a question into the queue; a full one refuses.
    pub(super) fn ask<T>(
        &self,
        question: impl FnOnce(Reply<T>) -> Question,
    ) -> Result<Answer<T>, Refusal> {
        let (answer, answered) = oneshot::channel();
        match self.queue.try_send(question(answer)) {
            Ok(()) => Ok(Answer::within(self.wait, answered)),
            Err(TrySendError::Full(_)) => Err(Refusal::RateLimited),
            Err(TrySendError::Disconnected(_)) => Err(Refusal::NoBackup),
        }
    }

    /// Ends the thread after what was asked before. Blocks; doing it twice is fine.
    pub(super) fn close(&self) {
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(thread) = thread.take() {
            let _ = self.queue.send(Question::Close);
            let _ = thread.join();
        }
    }
}

struct Work {
    shelf: Shelf,
    pool: Pool,
    folder: PathBuf,
    stock: Stock,
    disk_reserve: u64,
    sweep_every: Duration,
}

impl Work {
    fn run(mut self, questions: &Receiver<Question>) {
        let mut sweep = Instant::now();
        loop {
            if Instant::now() >= sweep {
                // One commit, then whoever waits: a lot may expire at once.
                let all = self.sweep(unix_now());
                self.look_at_disk();
                let pause = if all {
                    self.sweep_every
                } else {
                    Duration::ZERO
                };
                sweep = Instant::now() + pause;
            }
            let wait = sweep.saturating_duration_since(Instant::now());
            let mut next = match questions.recv_timeout(wait) {
                Ok(question) => Some(question),
                Err(RecvTimeoutError::Timeout) => continue,
                Err(RecvTimeoutError::Disconnected) => return,
            };
            let mut group = Group::default();
            while let Some(question) = next.take() {
                match question {
                    Question::Put(parcel, answer) => {
                        if !group.changes.has_room(parcel.data.len()) {
                            self.commit(std::mem::take(&mut group));
                        }
                        self.put(&mut group, parcel, answer);
                    }
                    Question::Fetch { tag, after, answer } => {
                        self.commit(std::mem::take(&mut group));
                        let _ = answer.send(self.fetch(tag, after, unix_now()));
                    }
                    Question::Close => {
                        self.commit(group);
                        return;
                    }
                }
                next = questions.try_recv().ok();
            }
            self.commit(group);
        }
    }

    fn put(&mut self, group: &mut Group, parcel: Parcel, answer: Reply<u64>) {
        let tag = parcel.tag;
        match self.pool.place(&parcel) {
            // It may lie in this very group, so this answer waits as well.
            Ok(Place::Known(n)) => group.answers.push((n, answer)),
            Ok(Place::New(entry)) => {
                group.new.push((tag, entry.n));
                group.answers.push((entry.n, answer));
                group.changes.add(parcel, &entry);
            }
            Err(refusal) => drop(answer.send(Err(refusal))),
        }
    }

    /// The disk's space changes by what others write, too.
    fn look_at_disk(&mut self) {
        if let Some(free) = free_bytes(&self.folder) {
            self.pool.disk_has(free.saturating_sub(self.disk_reserve));
        }
        self.stock.note(self.pool.used());
    }

    /// Makes a group durable and answers it. After a failure nothing of it counts.
    fn commit(&mut self, mut group: Group) {
        if !group.new.is_empty() {
            group.changes.last(self.pool.last());
            if let Err(error) = self.shelf.commit(&group.changes) {
                tracing::error!(%error, "parcels can't be written");
                for (tag, n) in group.new {
                    self.pool.remove(tag, n);
                }
                for (_, answer) in group.answers {
                    let _ = answer.send(Err(Refusal::NoBackup));
                }
                return;
            }
        }
        self.stock.note(self.pool.used());
        for (n, answer) in group.answers {
            let _ = answer.send(Ok(n));
        }
    }

    fn fetch(&self, tag: Tag, after: u64, now: u64) -> Result<Page, Refusal> {
        let (numbers, more) = self.pool.page(tag, after, now);
        let mut parcels = Vec::with_capacity(numbers.len());
        for n in numbers {
            match self.shelf.data(tag, n) {
                Ok(Some(data)) => parcels.push((n, data)),
                Ok(None) => {}
                Err(error) => {
                    tracing::error!(%error, "parcels can't be read");
                    return Err(Refusal::NoBackup);
                }
            }
        }
        Ok(Page { parcels, more })
    }

    /// Removes some of what expired, in one commit; tells whether that was all there is to do now.
    fn sweep(&mut self, now: u64) -> bool {
        let expired = self.pool.expired(now, SWEEP);
        if expired.is_empty() {
            return true;
        }
        let mut changes = Changes::default();
        for (tag, n) in &expired {
            changes.remove(*tag, *n);
        }
        if let Err(error) = self.shelf.commit(&changes) {
            tracing::error!(%error, "expired parcels can't be removed");
            return true;
        }
        let all = expired.len() < SWEEP;
        for (tag, n) in expired {
            self.pool.remove(tag, n);
        }
        all
    }
}

/// What anybody may still write on a folder's disk, where the system says.
#[cfg(unix)]
fn free_bytes(folder: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(folder).ok()?;
    disk.f_bavail.checked_mul(disk.f_frsize)
}

#[cfg(not(unix))]
fn free_bytes(_folder: &Path) -> Option<u64> {
    None
}

/// Parcels that are removed in one commit.
const SWEEP: usize = peddlenet_store::limits::COMMIT_WRITES_MAX / 4;

/// Puts that share a commit.
#[derive(Default)]
struct Group {
    changes: Changes,
    new: Vec<(Tag, u64)>,
    answers: Vec<(u64, Reply<u64>)>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_queue_refuses_and_an_ended_keeper_says_so() {
        let (queue, questions) = sync_channel(1);
        let thread = Mutex::new(None);
        let wait = Duration::from_secs(9);
        let keeper = Keeper {
            queue,
            thread,
            wait,
        };
        let ask = || {
            let (tag, after) = (Tag::of(1), 0);
            keeper.ask(|answer| Question::Fetch { tag, after, answer })
        };
        assert!(ask().is_ok());
        assert_eq!(ask().unwrap_err(), Refusal::RateLimited);
        drop(questions);
        assert_eq!(ask().unwrap_err(), Refusal::NoBackup);
    }
}
