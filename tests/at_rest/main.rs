//! What a thief finds: the disk of whole nodes, their logs, and what a wipe leaves, killed anywhere.
//!
//! ```text
//!  disk.rs   every byte of the data folder after a chat; other keys, passphrases
//!  logs.rs   everything that a node logs at `trace`
//!  wipe.rs   a wipe, and a wipe that is killed before each of its disk operations (kill.c)
//! ```

mod disk;
mod logs;
mod wipe;

use std::{
    fs,
    path::{Path, PathBuf},
};

use peddlenet_store::{SledStore, Store};
use peddlenet_tests::{
    node_process::{Launch, NodeProcess, str_of},
    sealed,
};
use serde_json::json;
use tempfile::TempDir;

/// Words that occur nowhere else.
const NAMES: [&str; 2] = ["Quetzalina", "Bombardierkaefer"];
const ROOM: &str = "Lichtung am Kolibribach";
const TEXTS: [&str; 3] = [
    "die Nachtigall singt um vier",
    "a heliotrope under the viaduct",
    "les girafes ne chantent jamais",
];

/// Two who have talked, and their folders.
struct Chat {
    nodes: [NodeProcess; 2],
    folders: [TempDir; 2],
    link: String,
}

fn chat(change: impl Fn(&mut Launch, usize)) -> Chat {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let start = |who: usize| {
        let mut launch = Launch::new(NAMES[who], folders[who].path());
        change(&mut launch, who);
        NodeProcess::start(launch).unwrap()
    };
    let (ada, bea) = (start(0), start(1));
    let made = ada.ok("create_room", json!({"name": ROOM})).unwrap();
    let room = str_of(&made, "room").to_owned();
    let invite = ada.ok("invite", json!({"room": room})).unwrap();
    let link = str_of(&invite, "link").to_owned();
    bea.ok("join", json!({"link": link})).unwrap();
    for (at, text) in TEXTS.into_iter().enumerate() {
        let (from, to) = if at % 2 == 0 {
            (&ada, &bea)
        } else {
            (&bea, &ada)
        };
        from.ok("send", json!({"room": room, "text": text}))
            .unwrap();
        to.wait_for_event(text, |e| e.str("text") == text).unwrap();
    }
    ada.wait_for_event("a receipt", |e| e.kind() == "receipt")
        .unwrap();
    Chat {
        nodes: [ada, bea],
        folders,
        link,
    }
}

/// Every file under a folder.
fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            let bytes = fs::read(&path).unwrap();
            found.push((path, bytes));
        }
    }
    found
}

fn holds(bytes: &[u8], known: &[u8]) -> bool {
    bytes.windows(known.len()).any(|window| window == known)
}

/// The store of a person's folder, opened with the key that lies beside it.
fn open_store(folder: &Path) -> SledStore {
    let key = sealed::key_of(&folder.join("profile.key")).unwrap();
    let store = folder.join("profile/store");
    SledStore::open_in(&store, sealed::options(&key)).unwrap().0
}

/// What only this device and its rooms may know: seeds of authors, keys of epochs. They are the byte
/// strings of 32 in what is saved of a room; ids, which are public, are left out.
fn secrets(store: &SledStore) -> Vec<[u8; 32]> {
    let mut public = Vec::new();
    for room in store.rooms().unwrap() {
        for held in store.held(room).unwrap() {
            public.push(held.author.0);
        }
        let events = store.page(room, None, usize::MAX).unwrap();
        public.extend(events.iter().map(|event| event.key.hash.0));
    }
    let mut found = Vec::new();
    for (_, saved) in store.meta_under(b"room/").unwrap() {
        for at in 0..saved.len() {
            if let Some([0x58, 0x20, string @ ..]) = saved.get(at..at + 34) {
                let string: [u8; 32] = string.try_into().unwrap();
                if !public.contains(&string) {
                    found.push(string);
                }
            }
        }
    }
    found
}
