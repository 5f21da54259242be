//! One network namespace: made, used, removed on drop.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use anyhow::Result;

use super::{Inner, shell};

/// Written into each new namespace: addresses are usable at once (no duplicate detection), and a
/// bridge is a plain switch whose frames no table of the host looks at.
const READY: &str = "\
for f in /proc/sys/net/ipv6/conf/*/accept_dad; do echo 0 > $f; done
for f in /proc/sys/net/bridge/bridge-nf-call-*tables; do [ ! -e $f ] || echo 0 > $f; done";

/// A network namespace with its loopback up.
pub(super) struct Space {
    name: String,
    next: AtomicU32,
    /// Outlives every namespace, and says on failure what the nodes said.
    lab: Arc<Inner>,
}

impl Space {
    pub(super) fn new(lab: &Arc<Inner>) -> Result<Arc<Self>> {
        let name = lab.next_space();
        shell::run("ip", &["netns", "add", &name])?;
        let space = Self {
            name,
            next: AtomicU32::new(0),
            lab: Arc::clone(lab),
        };
        space.ip(&["link", "set", "lo", "up"])?;
        space.exec("sh", &["-c", READY])?;
        Ok(Arc::new(space))
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn lab(&self) -> &Arc<Inner> {
        &self.lab
    }

    /// A name that no interface here has yet.
    pub(super) fn next_interface(&self, kind: &str) -> String {
        format!("{kind}{}", self.next.fetch_add(1, Ordering::Relaxed))
    }

    pub(super) fn ip(&self, args: &[&str]) -> Result<String> {
        shell::run("ip", &[&["-n", &self.name], args].concat())
    }

    pub(super) fn bridge(&self, args: &[&str]) -> Result<String> {
        shell::run("bridge", &[&["-n", &self.name], args].concat())
    }

    pub(super) fn exec(&self, program: &str, args: &[&str]) -> Result<String> {
        shell::run(
            "ip",
            &[&["netns", "exec", &self.name, program], args].concat(),
        )
    }

    /// Loads rules.
    pub(super) fn nft(&self, rules: &str) -> Result<()> {
        let args = ["netns", "exec", &self.name, "nft", "-f", "-"];
        shell::feed("ip", &args, rules)
    }
}

impl Drop for Space {
    fn drop(&mut self) {
        // The processes in it are dead by now: a node is dropped before the host it runs on. What
        // is left is swept up by the next lab.
        let _ = shell::run("ip", &["netns", "del", &self.name]);
    }
}
