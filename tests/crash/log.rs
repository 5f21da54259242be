//! Running a process under the recorder, and reading its log.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::OnceLock,
};

use anyhow::{Context, Result, bail, ensure};

use crate::disk::Disk;

/// What a process did to the disk, as `shim.c` writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Op {
    Open { inode: u64, path: PathBuf },
    Create { inode: u64, path: PathBuf },
    MakeFolder { inode: u64, path: PathBuf },
    Write { inode: u64, at: u64, data: Vec<u8> },
    Truncate { inode: u64, len: u64 },
    Rename { from: PathBuf, to: PathBuf },
    Remove { path: PathBuf },
    SyncBegin { inode: u64, token: u64 },
    SyncEnd { token: u64 },
    SyncFileRange,
    Ack(String),
    Unsupported(String),
}

/// A run of a child: the disk before it, and what it did.
pub(crate) struct Recording {
    pub(crate) before: PathBuf,
    pub(crate) root: PathBuf,
    pub(crate) ops: Vec<Op>,
    _folder: tempfile::TempDir,
}

impl Recording {
    /// Runs `crash_child MODE root COUNT` to its end, on a copy of `image` or on an empty folder.
    pub(crate) fn of(mode: &str, count: u64, image: Option<&Path>) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let base = folder.path().canonicalize()?;
        let (before, root, log) = (base.join("before"), base.join("root"), base.join("log"));
        fs::create_dir_all(&before)?;
        if let Some(image) = image {
            Disk::of(image)?.whole(&before)?;
        }
        Disk::of(&before)?.whole(&root)?;
        let output = Command::new(child())
            .args([
                mode,
                root.join("store")
                    .to_str()
                    .context("a path that is not text")?,
                &count.to_string(),
            ])
            .env("LD_PRELOAD", shim()?)
            .env("PN_SHIM_ROOT", &root)
            .env("PN_SHIM_LOG", &log)
            .stdin(Stdio::null())
            .output()?;
        ensure!(
            output.status.success(),
            "the recorded child failed: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        let ops = parse(
            &fs::read(&log).context("the recorder wrote nothing: is LD_PRELOAD supported here?")?,
        )?;
        Ok(Self {
            before,
            root,
            ops,
            _folder: folder,
        })
    }

    pub(crate) fn disk(&self) -> Result<Disk> {
        let mut disk = Disk::of(&self.before)?;
        disk.moved_to(&self.root);
        Ok(disk)
    }
}

/// The process that the tests run and kill.
pub(crate) fn child() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_crash_child"))
}

/// The recorder, compiled once a test run.
fn shim() -> Result<PathBuf> {
    static BUILT: OnceLock<std::result::Result<PathBuf, String>> = OnceLock::new();
    let build = || -> Result<PathBuf> {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("crash/shim.c");
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
        fs::create_dir_all(folder)?;
        // Under a name of this process, then renamed: two test runs may build at once.
        let (fresh, built) = (
            folder.join(format!("shim-{}.so", std::process::id())),
            folder.join("shim.so"),
        );
        let output = Command::new("cc")
            .args([
                "-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", "-o",
            ])
            .args([&fresh, &source])
            .arg("-lpthread")
            .output()
            .context("the power-cut tests need a C compiler, `cc`")?;
        ensure!(
            output.status.success(),
            "cc: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        fs::rename(&fresh, &built)?;
        Ok(built)
    };
    BUILT
        .get_or_init(|| build().map_err(|error| format!("{error:#}")))
        .clone()
        .map_err(anyhow::Error::msg)
}

fn parse(mut bytes: &[u8]) -> Result<Vec<Op>> {
    let mut ops = Vec::new();
    while !bytes.is_empty() {
        let op = take(&mut bytes, 1)?[0];
        let inode = number(&mut bytes, 8)?;
        let value = number(&mut bytes, 8)?;
        let name_len = number(&mut bytes, 4)?;
        let data_len = number(&mut bytes, 8)?;
        let name = String::from_utf8(take(&mut bytes, name_len)?.to_vec())?;
        let data = take(&mut bytes, data_len)?.to_vec();
        let path = || PathBuf::from(&name);
        ops.push(match op {
            b'O' => Op::Open {
                inode,
                path: path(),
            },
            b'C' => Op::Create {
                inode,
                path: path(),
            },
            b'D' => Op::MakeFolder {
                inode,
                path: path(),
            },
            b'W' => Op::Write {
                inode,
                at: value,
                data,
            },
            b'T' => Op::Truncate { inode, len: value },
            b'R' => {
                let (from, to) = name.split_once('\0').context("a rename without a target")?;
                Op::Rename {
                    from: from.into(),
                    to: to.into(),
                }
            }
            b'U' => Op::Remove { path: path() },
            b'S' => Op::SyncBegin {
                inode,
                token: value,
            },
            b's' => Op::SyncEnd { token: value },
            b'F' => Op::SyncFileRange,
            b'A' => Op::Ack(String::from_utf8(data)?),
            b'!' => Op::Unsupported(name),
            other => bail!("an unknown record {other}"),
        });
    }
    Ok(ops)
}

fn take<'a>(bytes: &mut &'a [u8], len: u64) -> Result<&'a [u8]> {
    let (head, rest) = bytes
        .split_at_checked(usize::try_from(len)?)
        .context("the log ends in a record")?;
    *bytes = rest;
    Ok(head)
}

fn number(bytes: &mut &[u8], len: u64) -> Result<u64> {
    Ok(take(bytes, len)?
        .iter()
        .rev()
        .fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
}
