//! A network laboratory: real hosts on one machine, from Linux network namespaces.
//!
//! ```text
//!   Host "ada"            Wifi "camp" (a namespace, or the host that is the access point)
//!  +---------------+      +--------------------------------+      +---------------+
//!  | node   w0 <===|=veth=|=> p0 --+-- ap0 (bridge, .1)    |      |  Host "bea"   |
//!  | lo            |      |   p1 --+                       |==veth|=> w0     node |
//!  +---------------+      |   t0 --+==== trunk ====> next  |      +---------------+
//!                         +--------------------------------+
//!  Plug: one veth between a host and a Wi-Fi. cut, restore, isolate, loss in and out, rate
//!  Router: a Host with a plug outside and a Wifi of its own inside: NAT kinds, rebinding
//!  Internet: an outer network with a rendezvous server on it
//!  CarrierBox: a box in a Wi-Fi, found by the devices there
//!  Distance: what goes through a router to one address, and its answers, take a while
//! ```
//!
//! Everything is done by running `ip`, `bridge`, `tc`, `nft` and `conntrack`, as root. Namespaces are
//! called `pnlab-PID-N` and go when their owner is dropped; a lab that opens first sweeps up those of
//! processes that are gone. Nothing outside these namespaces is changed.
//!
//! What the kernel of the tests' machine (6.18) has was looked up: veth, bridge with isolated ports,
//! nf_tables (inet, netdev ingress) with `numgen random`, NAT, masquerade and its fully random
//! ports, conntrack a namespace, `tbf`. It lacks netem, so delay comes from a program. Loss drops
//! frames where they come out of a veth, never at the sender, whose `sendmsg` would fail: real loss says nothing.

mod carrier;
mod distance;
mod host;
mod internet;
mod nat;
mod people;
mod prefix;
mod shell;
mod space;
mod wifi;

pub use carrier::CarrierBox;
pub use distance::Distance;
pub use host::{Host, Traffic, cpu_time};
pub use internet::{Internet, SERVER_PORT};
pub use nat::{Nat, Router};
pub use people::{Room, links, lost_a_link, until, ways};
pub use prefix::Prefix;
pub use wifi::{Plug, Trunk, Wifi};

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Once,
        atomic::{AtomicU32, Ordering},
    },
};

use anyhow::{Result, ensure};
use tempfile::TempDir;

/// Programs that it takes, and the Debian packages that have them.
const PROGRAMS: [(&str, &str); 5] = [
    ("ip", "iproute2"),
    ("bridge", "iproute2"),
    ("tc", "iproute2"),
    ("nft", "nftables"),
    ("conntrack", "conntrack"),
];
/// How names of namespaces begin.
const NAMES: &str = "pnlab-";
/// Lines of a node's standard error that a failure shows (count).
const SHOWN: usize = 40;

static NEXT_SPACE: AtomicU32 = AtomicU32::new(0);
static SWEEP: Once = Once::new();

/// Where hosts and networks are made.
pub struct Lab(Arc<Inner>);

/// What all of a lab's parts hold on to.
struct Inner {
    folder: TempDir,
}

impl Lab {
    /// A lab; `None` where there can't be one, which is said, and is a failure with `CI=true`.
    ///
    /// # Panics
    /// With `CI=true`, where there can't be one.
    pub fn open() -> Option<Self> {
        match Self::new() {
            Ok(lab) => Some(lab),
            Err(why) => {
                let ci = std::env::var("CI").as_deref() == Ok("true");
                assert!(!ci, "no network lab here: {why:#}");
                println!("skipped: no network lab here: {why:#}");
                None
            }
        }
    }

    /// A lab, or why there can't be one.
    ///
    /// # Errors
    /// Not Linux, not root, a program is missing, or namespaces are not allowed.
    pub fn new() -> Result<Self> {
        ensure!(cfg!(target_os = "linux"), "network namespaces are Linux's");
        for (program, package) in PROGRAMS {
            ensure!(
                shell::is_there(program),
                "{program} is missing: apt-get install {package}"
            );
        }
        let id = shell::run("id", &["-u"])?;
        ensure!(id.trim() == "0", "making networks takes root");
        SWEEP.call_once(sweep);
        let inner = Inner {
            folder: tempfile::tempdir()?,
        };
        let lab = Self(Arc::new(inner));
        space::Space::new(&lab.0)?;
        Ok(lab)
    }

    /// A host without any network yet.
    ///
    /// # Errors
    /// A command failed.
    pub fn host(&self, name: &str) -> Result<Host> {
        Host::new(&self.0, name)
    }

    /// A Wi-Fi whose access point is a box of its own.
    ///
    /// # Errors
    /// A command failed.
    pub fn wifi(&self, prefix: Prefix) -> Result<Wifi> {
        Wifi::standing(&self.0, prefix)
    }

    /// A router between that outer network and a Wi-Fi of its own.
    ///
    /// # Errors
    /// A command failed.
    pub fn router(&self, name: &str, outside: &Wifi, inside: Prefix, nat: Nat) -> Result<Router> {
        Router::new(self.host(name)?, outside, inside, nat)
    }
}

impl Inner {
    fn next_space(&self) -> String {
        let n = NEXT_SPACE.fetch_add(1, Ordering::Relaxed);
        format!("{NAMES}{}-{n}", std::process::id())
    }

    fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Where a node's standard error goes.
    fn stderr(&self, name: &str) -> PathBuf {
        self.folder().join(format!("{name}.stderr"))
    }

    fn show_stderr(&self) {
        let Ok(files) = std::fs::read_dir(self.folder()) else {
            return;
        };
        for path in files.flatten().map(|file| file.path()) {
            if path.extension().is_none_or(|e| e != "stderr") {
                continue;
            }
            let said = std::fs::read(&path).unwrap_or_default();
            let said = String::from_utf8_lossy(&said);
            let lines: Vec<_> = said.lines().collect();
            let from = lines.len().saturating_sub(SHOWN);
            if !lines.is_empty() {
                let name = path.file_name().unwrap_or_default().display();
                eprintln!("--- {name}\n{}", lines[from..].join("\n"));
            }
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.show_stderr();
        }
    }
}

/// Removes namespaces of labs whose process is gone: one that was killed could not.
fn sweep() {
    let listed = shell::run("ip", &["netns", "list"]).unwrap_or_default();
    for name in listed.lines().filter_map(|l| l.split_whitespace().next()) {
        if owner(name).is_some_and(|pid| !Path::new("/proc").join(pid.to_string()).exists()) {
            let _ = shell::run("ip", &["netns", "del", name]);
        }
    }
}

/// Whose namespace that is, if it is one of ours.
fn owner(space: &str) -> Option<u32> {
    let (pid, number) = space.strip_prefix(NAMES)?.split_once('-')?;
    number.parse::<u32>().ok()?;
    pid.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_namespaces_have_an_owner() {
        assert_eq!(owner("pnlab-4711-3"), Some(4711));
        for foreign in ["pnlab-4711", "pnlab-x-3", "lab-4711-3", "pnlab-4711-"] {
            assert_eq!(owner(foreign), None, "{foreign}");
        }
    }
}
