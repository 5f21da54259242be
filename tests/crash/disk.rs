//! A disk as a power cut leaves it: replays a recorded log and makes images.
//!
//! ```text
//!  per file:    durable bytes | writes and truncations since the last fsync
//!  per folder:  durable names | names added, renamed, removed since the last fsync of the folder
//! ```
//!
//! What was fsynced is kept. Of the rest, an image keeps nothing, a part in order, or random
//! 512-byte sectors and random names, as its [`Survival`] says.

use std::{
    collections::{BTreeMap, HashMap},
    fs,
    path::{Component, Path, PathBuf},
};

use anyhow::{Context, Result, bail, ensure};

use crate::{log::Op, workload::Random};

const SECTOR: usize = 512;

type Id = usize;

/// The state of everything under a root, and what of it is durable.
pub(crate) struct Disk {
    root: PathBuf,
    nodes: Vec<Node>,
    /// Which node an inode number stands for now; the system reuses numbers.
    inodes: HashMap<u64, Id>,
    syncs: HashMap<u64, (Id, u64)>,
    /// How many operations were replayed.
    pub(crate) at: u64,
}

enum Node {
    File {
        durable: Vec<u8>,
        pending: Vec<(u64, Change)>,
    },
    Folder {
        durable: Names,
        pending: Vec<(u64, Naming)>,
        now: Names,
    },
}

type Names = BTreeMap<String, Id>;

#[derive(Clone)]
enum Change {
    Write(u64, Vec<u8>),
    Truncate(u64),
}

#[derive(Clone)]
enum Naming {
    Add(String, Id),
    Remove(String),
    Rename(String, String),
}

/// What survives of that which was not synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Survival {
    /// Nothing: the disk's cache is gone.
    Synced,
    /// Of each file and folder the changes up to some moment: a cache that writes in order.
    InOrder,
    /// Any sectors and any names: a cache that writes as it likes.
    Sectors,
}

const ROOT: Id = 0;

impl Disk {
    /// Takes a folder as it is; all of it is durable.
    pub(crate) fn of(root: &Path) -> Result<Self> {
        let mut disk = Self {
            root: root.to_path_buf(),
            nodes: vec![Node::folder(Names::new())],
            inodes: HashMap::new(),
            syncs: HashMap::new(),
            at: 0,
        };
        let names = disk.load(root)?;
        disk.nodes[ROOT] = Node::folder(names);
        Ok(disk)
    }

    /// The same content under another path.
    pub(crate) fn moved_to(&mut self, root: &Path) {
        self.root = root.to_path_buf();
    }

    fn load(&mut self, folder: &Path) -> Result<Names> {
        let mut names = Names::new();
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let node = if entry.file_type()?.is_dir() {
                Node::folder(self.load(&entry.path())?)
            } else {
                Node::File {
                    durable: fs::read(entry.path())?,
                    pending: Vec::new(),
                }
            };
            let name = entry
                .file_name()
                .into_string()
                .ok()
                .context("a name that is not text")?;
            names.insert(name, self.add(node));
        }
        Ok(names)
    }

    fn add(&mut self, node: Node) -> Id {
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    /// Replays one recorded operation.
    pub(crate) fn replay(&mut self, op: &Op) -> Result<()> {
        let at = self.at;
        self.at += 1;
        match op {
            Op::Open { inode, path } => {
                let id = self.find(path)?;
                self.inodes.insert(*inode, id);
            }
            Op::Create { inode, path } => {
                let id = self.add(Node::File {
                    durable: Vec::new(),
                    pending: Vec::new(),
                });
                self.inodes.insert(*inode, id);
                self.name(path, |name| Naming::Add(name, id))?;
            }
            Op::MakeFolder { inode, path } => {
                let id = self.add(Node::folder(Names::new()));
                self.inodes.insert(*inode, id);
                self.name(path, |name| Naming::Add(name, id))?;
            }
            Op::Write {
                inode,
                at: from,
                data,
            } => self.change(*inode, at, Change::Write(*from, data.clone()))?,
            Op::Truncate { inode, len } => self.change(*inode, at, Change::Truncate(*len))?,
            Op::Rename { from, to } => {
                ensure!(
                    from.parent() == to.parent(),
                    "a rename between folders: {from:?}"
                );
                let to = name_of(to)?;
                self.name(from, |from| Naming::Rename(from, to))?;
            }
            Op::Remove { path } => self.name(path, Naming::Remove)?,
            Op::SyncBegin { inode, token } => {
                let id = *self
                    .inodes
                    .get(inode)
                    .context("a sync of an unknown file")?;
                self.syncs.insert(*token, (id, at));
            }
            Op::SyncEnd { token } => {
                let (id, begun) = self
                    .syncs
                    .remove(token)
                    .context("a sync that never began")?;
                self.nodes[id].settle(begun);
            }
            Op::SyncFileRange | Op::Ack(_) => {}
            Op::Unsupported(what) => bail!("the recorder cannot follow {what}"),
        }
        Ok(())
    }

    fn find(&self, path: &Path) -> Result<Id> {
        let inside = path.strip_prefix(&self.root)?;
        inside.components().try_fold(ROOT, |id, part| {
            let (Node::Folder { now, .. }, Component::Normal(name)) = (&self.nodes[id], part)
            else {
                bail!("{path:?} goes through a file");
            };
            now.get(name.to_str().context("a name that is not text")?)
                .copied()
                .with_context(|| format!("{path:?} is not there"))
        })
    }

    fn name(&mut self, path: &Path, naming: impl FnOnce(String) -> Naming) -> Result<()> {
        let parent = self.find(path.parent().context("the root has no name")?)?;
        let naming = naming(name_of(path)?);
        let at = self.at - 1;
        let Node::Folder { pending, now, .. } = &mut self.nodes[parent] else {
            bail!("{path:?} is in a file")
        };
        naming.apply(now);
        pending.push((at, naming));
        Ok(())
    }

    fn change(&mut self, inode: u64, at: u64, change: Change) -> Result<()> {
        let id = *self
            .inodes
            .get(&inode)
            .context("a write to an unknown file")?;
        let Node::File { pending, .. } = &mut self.nodes[id] else {
            bail!("a write to a folder")
        };
        pending.push((at, change));
        Ok(())
    }

    /// Writes what a power cut at this moment leaves into an empty folder.
    pub(crate) fn cut(&self, survival: Survival, random: &mut Random, into: &Path) -> Result<()> {
        self.materialise(ROOT, into, &mut |node| node.survivors(survival, random))
    }

    /// Writes everything as if the power had stayed.
    pub(crate) fn whole(&self, into: &Path) -> Result<()> {
        self.materialise(ROOT, into, &mut Node::everything)
    }

    fn materialise(&self, id: Id, at: &Path, left: &mut dyn FnMut(&Node) -> Left) -> Result<()> {
        match left(&self.nodes[id]) {
            Left::Bytes(bytes) => fs::write(at, bytes)?,
            Left::Names(names) => {
                fs::create_dir_all(at)?;
                for (name, child) in names {
                    self.materialise(child, &at.join(name), left)?;
                }
            }
        }
        Ok(())
    }
}

enum Left {
    Bytes(Vec<u8>),
    Names(Names),
}

impl Node {
    fn folder(names: Names) -> Self {
        Self::Folder {
            durable: names.clone(),
            pending: Vec::new(),
            now: names,
        }
    }

    /// Makes durable what was done before a moment.
    fn settle(&mut self, before: u64) {
        match self {
            Self::File { durable, pending } => {
                let rest = pending.split_off(pending.partition_point(|(at, _)| *at < before));
                std::mem::replace(pending, rest)
                    .iter()
                    .for_each(|(_, change)| change.apply(durable));
            }
            Self::Folder {
                durable, pending, ..
            } => {
                let rest = pending.split_off(pending.partition_point(|(at, _)| *at < before));
                std::mem::replace(pending, rest)
                    .iter()
                    .for_each(|(_, naming)| naming.apply(durable));
            }
        }
    }

    fn everything(&self) -> Left {
        match self {
            Self::File { durable, pending } => {
                let mut bytes = durable.clone();
                pending
                    .iter()
                    .for_each(|(_, change)| change.apply(&mut bytes));
                Left::Bytes(bytes)
            }
            Self::Folder { now, .. } => Left::Names(now.clone()),
        }
    }

    fn survivors(&self, survival: Survival, random: &mut Random) -> Left {
        let pending = match self {
            Self::File { pending, .. } => pending.len(),
            Self::Folder { pending, .. } => pending.len(),
        };
        let kept = match survival {
            Survival::Synced => 0,
            Survival::InOrder => below(random, pending + 1),
            Survival::Sectors => pending,
        };
        let partly = survival == Survival::Sectors;
        match self {
            Self::File { durable, pending } => {
                let mut bytes = durable.clone();
                // The share of sectors that made it, for this file: all, most, half, few.
                let eighths = [8, 7, 4, 1][below(random, 4)];
                for (_, change) in &pending[..kept] {
                    if partly {
                        change.apply_partly(&mut bytes, eighths, random)
                    } else {
                        change.apply(&mut bytes)
                    }
                }
                Left::Bytes(bytes)
            }
            Self::Folder {
                durable, pending, ..
            } => {
                let mut names = durable.clone();
                for (_, naming) in &pending[..kept] {
                    if !partly || below(random, 2) == 0 {
                        naming.apply(&mut names);
                    }
                }
                Left::Names(names)
            }
        }
    }
}

impl Change {
    fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Write(from, data) => put(bytes, *from, data),
            Self::Truncate(len) => {
                bytes.resize(usize::try_from(*len).expect("a length that fits"), 0)
            }
        }
    }

    fn apply_partly(&self, bytes: &mut Vec<u8>, eighths: usize, random: &mut Random) {
        match self {
            Self::Write(from, data) => {
                // The new length may have been written without the data.
                let end = usize::try_from(*from).expect("an offset that fits") + data.len();
                if bytes.len() < end && below(random, 2) == 0 {
                    bytes.resize(end, 0);
                }
                let mut at = 0;
                while at < data.len() {
                    let in_file = usize::try_from(*from).expect("an offset that fits") + at;
                    let until = (at + SECTOR - in_file % SECTOR).min(data.len());
                    if below(random, 8) < eighths {
                        put(bytes, in_file as u64, &data[at..until]);
                    }
                    at = until;
                }
            }
            Self::Truncate(_) if below(random, 2) == 0 => {}
            whole @ Self::Truncate(_) => whole.apply(bytes),
        }
    }
}

impl Naming {
    /// A name that is not there (its addition did not survive) cannot be removed or renamed.
    fn apply(&self, names: &mut Names) {
        match self {
            Self::Add(name, id) => {
                names.insert(name.clone(), *id);
            }
            Self::Remove(name) => {
                names.remove(name);
            }
            Self::Rename(from, to) => {
                if let Some(id) = names.remove(from) {
                    names.insert(to.clone(), id);
                }
            }
        }
    }
}

fn put(bytes: &mut Vec<u8>, from: u64, data: &[u8]) {
    let from = usize::try_from(from).expect("an offset that fits");
    if bytes.len() < from + data.len() {
        bytes.resize(from + data.len(), 0);
    }
    bytes[from..from + data.len()].copy_from_slice(data);
}

fn below(random: &mut Random, limit: usize) -> usize {
    usize::try_from(random.next() % limit as u64).expect("below a usize")
}

fn name_of(path: &Path) -> Result<String> {
    path.file_name()
        .and_then(|name| name.to_str())
        .map(str::to_owned)
        .context("a name that is not text")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ops() -> Vec<Op> {
        let path = |name: &str| PathBuf::from("/r").join(name);
        vec![
            Op::Open {
                inode: 1,
                path: "/r".into(),
            },
            Op::Create {
                inode: 2,
                path: path("a"),
            },
            Op::Write {
                inode: 2,
                at: 0,
                data: vec![1; 1024],
            },
            Op::SyncBegin { inode: 2, token: 1 },
            Op::Write {
                inode: 2,
                at: 1024,
                data: vec![2; 1024],
            },
            Op::SyncEnd { token: 1 },
            Op::SyncFileRange,
            Op::SyncBegin { inode: 1, token: 2 },
            Op::SyncEnd { token: 2 },
            Op::Rename {
                from: path("a"),
                to: path("b"),
            },
            Op::Create {
                inode: 2,
                path: path("c"),
            },
        ]
    }

    fn image(
        upto: usize,
        survival: Survival,
        seed: u64,
    ) -> (BTreeMap<String, Vec<u8>>, tempfile::TempDir) {
        let empty = tempfile::tempdir().unwrap();
        let mut disk = Disk::of(empty.path()).unwrap();
        disk.moved_to(Path::new("/r"));
        ops()[..upto].iter().for_each(|op| disk.replay(op).unwrap());
        let into = tempfile::tempdir().unwrap();
        disk.cut(survival, &mut Random(seed), into.path()).unwrap();
        let files = fs::read_dir(into.path()).unwrap().map(|entry| {
            let entry = entry.unwrap();
            (
                entry.file_name().into_string().unwrap(),
                fs::read(entry.path()).unwrap(),
            )
        });
        (files.collect(), into)
    }

    #[test]
    fn what_was_synced_is_all_that_must_survive() {
        assert!(
            image(6, Survival::Synced, 0).0.is_empty(),
            "the name was not synced"
        );
        let files = image(11, Survival::Synced, 0).0;
        assert_eq!(files, BTreeMap::from([("a".to_owned(), vec![1; 1024])]));
    }

    #[test]
    fn a_write_during_a_sync_is_not_covered_by_it() {
        let lengths: Vec<usize> = (0..40)
            .map(|seed| image(9, Survival::InOrder, seed).0["a"].len())
            .collect();
        assert!(lengths.contains(&1024) && lengths.contains(&2048));
    }

    #[test]
    fn sectors_survive_one_by_one_and_names_too() {
        let mut torn = false;
        let mut names = std::collections::BTreeSet::new();
        for seed in 0..100 {
            let (files, _) = image(11, Survival::Sectors, seed);
            names.insert(files.keys().cloned().collect::<String>());
            let bytes = files.get("a").or(files.get("b")).unwrap();
            assert!(bytes[..1024] == [1; 1024], "synced bytes were lost");
            torn |= bytes.len() == 2048 && bytes[1024] != bytes[2047];
        }
        assert!(torn, "no torn write in a hundred images");
        assert_eq!(
            names.into_iter().collect::<Vec<_>>(),
            ["a", "ac", "b", "bc"]
        );
    }
}
