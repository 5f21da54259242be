//! The data folder: nothing in it can be read, and it opens with its own key alone.

use std::fs;

use peddlenet_store::Store;
use peddlenet_tests::node_process::{Launch, NodeProcess, str_of};
use serde_json::json;

use super::{Chat, NAMES, ROOM, TEXTS, chat, files, holds, open_store, secrets};

#[test]
fn a_thief_finds_no_text_no_name_and_no_key() {
    let Chat { nodes, folders, .. } = chat(|_, _| {});
    for node in nodes {
        assert!(node.quit().unwrap().success());
    }
    for folder in &folders {
        let store = open_store(folder.path());
        // What is looked for is really there, sealed.
        let name = store.meta(b"profile/name").unwrap().unwrap();
        assert!(NAMES.iter().any(|n| n.as_bytes() == name));
        let secrets = secrets(&store);
        assert!(secrets.len() >= 3, "{} secrets", secrets.len());
        drop(store);
        let key = fs::read(folder.path().join("profile.key")).unwrap();
        let master = &key[7..39];

        let data = files(&folder.path().join("profile"));
        let bytes: usize = data.iter().map(|(_, bytes)| bytes.len()).sum();
        assert!(bytes > 10_000, "{bytes} bytes are no store");
        let words = TEXTS.iter().chain(&NAMES).chain([&ROOM]);
        let known: Vec<&[u8]> = words
            .map(|word| word.as_bytes())
            .chain(secrets.iter().map(|secret| &secret[..]))
            .chain([master])
            .collect();
        for (path, bytes) in &data {
            for (number, known) in known.iter().enumerate() {
                assert!(
                    !holds(bytes, known),
                    "{} holds number {number} of {}",
                    path.display(),
                    known.len()
                );
            }
        }
        println!(
            "{} files, {bytes} bytes, {} known values: 0 found",
            data.len(),
            known.len()
        );
        // The search finds what is there: the key in its own file.
        assert!(holds(&key, master));
    }
}

#[test]
fn another_key_or_none_ends_with_a_sentence_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let launch = Launch::new("Ada", folder.path());
    let node = NodeProcess::start(launch.clone()).unwrap();
    let ready = node
        .wait_for_event("ready", |e| e.kind() == "ready")
        .unwrap();
    assert_eq!(ready.str("key"), "file");
    assert!(ready.str("warning").contains("profile.key"), "{ready:?}");
    node.ok("create_room", json!({"name": "Mine"})).unwrap();
    node.quit().unwrap();

    let before = files(&folder.path().join("profile"));
    let key = folder.path().join("profile.key");
    let kept = folder.path().join("kept");
    fs::rename(&key, &kept).unwrap();
    let refused = |extra: &[&str]| {
        let extra = extra.iter().map(ToString::to_string).collect();
        let launch = Launch {
            extra,
            ..launch.clone()
        };
        let output = launch.run_to_end().unwrap();
        assert_eq!(output.status.code(), Some(1));
        assert_eq!(String::from_utf8_lossy(&output.stdout), "");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!said.contains("panicked"), "{said}");
        said
    };
    let said = refused(&[]);
    assert!(said.contains("its key isn't here"), "{said}");
    assert!(!key.exists(), "a key was made for data that is sealed");

    let other = tempfile::tempdir().unwrap();
    let stranger = NodeProcess::start(Launch::new("Bea", other.path())).unwrap();
    stranger.quit().unwrap();
    let others = other.path().join("profile.key");
    let said = refused(&["--key-file", others.to_str().unwrap()]);
    assert!(said.contains("sealed with another key"), "{said}");
    let inside = folder.path().join("profile/key");
    let said = refused(&["--key-file", inside.to_str().unwrap()]);
    assert!(said.contains("outside of the data folder"), "{said}");
    let said = refused(&["--key-file", "/proc/version"]);
    assert!(said.contains("can't be used"), "{said}");

    let seal = |files: &[(std::path::PathBuf, Vec<u8>)]| {
        let kept = files.iter().filter(|(path, _)| !path.ends_with("clean"));
        kept.cloned().collect::<Vec<_>>()
    };
    assert!(seal(&files(&folder.path().join("profile"))) == seal(&before));
    let elsewhere = Launch {
        extra: vec!["--key-file".into(), kept.to_str().unwrap().into()],
        ..launch
    };
    let node = NodeProcess::start(elsewhere).unwrap();
    let rooms = node.ok("rooms", json!({})).unwrap();
    assert_eq!(str_of(&rooms["rooms"][0], "name"), "Mine");
}

#[test]
fn a_passphrase_protects_the_key_file() {
    let folder = tempfile::tempdir().unwrap();
    let with = |text: &str| {
        let path = folder.path().join("passphrase");
        fs::write(&path, text).unwrap();
        Launch {
            extra: vec!["--passphrase-file".into(), path.to_str().unwrap().into()],
            ..Launch::new("Ada", folder.path())
        }
    };
    let node = NodeProcess::start(with("correct horse\n")).unwrap();
    let ready = node
        .wait_for_event("ready", |e| e.kind() == "ready")
        .unwrap();
    assert_eq!(ready.str("key"), "passphrase");
    assert!(ready.value.get("warning").is_none());
    node.ok("create_room", json!({"name": "Mine"})).unwrap();
    node.quit().unwrap();
    for (launch, sentence) in [
        (with("incorrect horse"), "not the passphrase"),
        (Launch::new("Ada", folder.path()), "opens with a passphrase"),
    ] {
        let output = launch.run_to_end().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            !output.status.success() && said.contains(sentence),
            "{said}"
        );
    }
    let node = NodeProcess::start(with("correct horse")).unwrap();
    let rooms = node.ok("rooms", json!({})).unwrap();
    assert_eq!(str_of(&rooms["rooms"][0], "name"), "Mine");
}
