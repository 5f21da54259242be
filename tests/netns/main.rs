//! Stories of real hosts: `peddlenet-node` in network namespaces with Wi-Fis, cables and routers between
//! them, and what happens to those.
//!
//! ```text
//!  hotspot      the inviter is the access point; it is killed, and the others go on
//!  two_wifis    a laptop in two networks carries a room between them
//!  away         walking away and back; asleep; missing ten epochs
//!  churn        twelve that come and go: what the rest takes of the machine
//!  losses       five per cent each way, a third one way; a slow line
//!  addresses    IPv6 alone; a router that maps anew in the middle of a talk
//!  far          a fifth of a second there and back, with answers that overtake each other
//!  halves       twelve devices, the cable between two switches cut, and mended
//!  lab_itself   whether the lab is what it says
//!  nats         two networks behind routers, a rendezvous server with STUN and TURN between them
//!  boxes        carrier boxes: at the gate, in a Wi-Fi that keeps devices apart, and false ones
//!  lan          what takes devices that look for each other: see there
//! ```
//!
//! What is asserted are outcomes under generous deadlines. Where there is no root, or no namespace, each
//! story says so and returns; with CI=true that is a failure.

mod addresses;
mod away;
mod boxes;
mod churn;
mod far;
mod halves;
mod hotspot;
mod lab_itself;
mod lan;
mod losses;
mod nats;
mod two_wifis;

use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use peddlenet_tests::{
    lab::{Host, Lab, Room, Wifi, ways},
    node_process::NodeProcess,
};

/// A story of a dozen processes fills the machine; small ones may run side by side.
static MACHINE: RwLock<()> = RwLock::new(());

fn beside_others() -> RwLockReadGuard<'static, ()> {
    // A story that failed under the lock has left nothing behind.
    MACHINE.read().unwrap_or_else(PoisonError::into_inner)
}

fn alone() -> RwLockWriteGuard<'static, ()> {
    MACHINE.write().unwrap_or_else(PoisonError::into_inner)
}

/// Devices look for each other only in the stories of [`lan`] and [`boxes`].
const NO_LAN: &[&str] = &["--no-lan"];

/// A device in a network, and its node.
struct Device {
    // The node ends before its host goes.
    node: NodeProcess,
    plug: peddlenet_tests::lab::Plug,
    host: Host,
}

fn device(lab: &Lab, wifi: &Wifi, name: &str, args: &[&str]) -> Device {
    let host = lab.host(name).unwrap();
    let plug = wifi.join(&host).unwrap();
    Device {
        node: host.node(args).unwrap(),
        plug,
        host,
    }
}

/// Devices called as said, in one network and one room that the first one made.
fn devices(lab: &Lab, wifi: &Wifi, names: &[&str], args: &[&str]) -> (Room, Vec<Device>) {
    let all: Vec<_> = names.iter().map(|n| device(lab, wifi, n, args)).collect();
    let room = Room::made_by(&all[0].node, "Camp").unwrap();
    let joiners = all[1..].iter().map(|d| &d.node);
    room.let_in(&all[0].node, joiners).unwrap();
    (room, all)
}

fn nodes(devices: &[Device]) -> Vec<&NodeProcess> {
    devices.iter().map(|d| &d.node).collect()
}

/// Each of these has one link, and it came up by that way.
fn came_by<'n>(way: &str, nodes: impl IntoIterator<Item = &'n NodeProcess>) {
    for node in nodes {
        assert_eq!(ways(node).unwrap(), [way], "{}", node.name());
    }
}
