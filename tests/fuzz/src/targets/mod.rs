//! One function a target. Each takes any bytes, and panics only when a promise is broken.

mod codecs;
mod direct;
mod doors;
mod engine;
mod links;
mod node;
mod pictures;
mod sealed;
mod stun;

pub use codecs::{
    back, beacon, bodies, content, event, fork, frame, invite, join, near, pass, record, route,
    sketch, verify_code,
};
pub use direct::direct;
pub use doors::{front_door, key_file, knock, signaling, store};
pub use engine::engine;
pub use links::handshake;
pub use node::node_line;
pub use pictures::{luma, picture};
pub use sealed::{letter, sealed};

/// What a target is.
pub type Target = fn(&[u8]);

/// Every target by the name of its program and of its corpus.
pub const ALL: &[(&str, Target)] = &[
    ("back", back),
    ("beacon", beacon),
    ("bodies", bodies),
    ("content", content),
    ("direct", direct),
    ("engine", engine),
    ("event", event),
    ("fork", fork),
    ("frame", frame),
    ("front_door", front_door),
    ("handshake", handshake),
    ("invite", invite),
    ("join", join),
    ("key_file", key_file),
    ("knock", knock),
    ("letter", letter),
    ("luma", luma),
    ("near", near),
    ("node_line", node_line),
    ("pass", pass),
    ("picture", picture),
    ("record", record),
    ("route", route),
    ("sealed", sealed),
    ("signaling", signaling),
    ("sketch", sketch),
    ("store", store),
    ("verify_code", verify_code),
];

/// The first `N` bytes, zeros where there are not as many; what follows stays in `bytes`.
fn take<const N: usize>(bytes: &mut &[u8]) -> [u8; N] {
    let (head, rest) = bytes.split_at(N.min(bytes.len()));
    *bytes = rest;
    let mut out = [0; N];
    out[..head.len()].copy_from_slice(head);
    out
}
