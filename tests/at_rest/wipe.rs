//! A wipe leaves nothing, and one that was killed anywhere leaves nothing after the next start.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use peddlenet_mesh::{Config, ErrorCode, Node, Receipts};
use peddlenet_tests::node_process::{Launch, NodeProcess, str_of};
use serde_json::json;

use super::{files, holds};

/// A wipe has fewer disk operations than that.
const OPERATIONS_MAX: usize = 400;

/// A profile with a room and a message, closed.
fn profile(folder: &Path) {
    let node = NodeProcess::start(Launch::new("Ada", folder)).unwrap();
    let made = node.ok("create_room", json!({"name": "Mine"})).unwrap();
    let room = str_of(&made, "room").to_owned();
    node.ok("send", json!({"room": room, "text": "gone soon"}))
        .unwrap();
    node.quit().unwrap();
}

fn names(node: &NodeProcess) -> Vec<String> {
    let rooms = node.ok("rooms", json!({})).unwrap();
    let rooms = rooms["rooms"].as_array().unwrap();
    rooms.iter().map(|r| str_of(r, "name").to_owned()).collect()
}

#[test]
fn a_wipe_leaves_nothing_and_the_next_start_is_the_first() {
    let folder = tempfile::tempdir().unwrap();
    profile(folder.path());
    let key = fs::read(folder.path().join("profile.key")).unwrap();
    let mut node = NodeProcess::start(Launch::new("Ada", folder.path())).unwrap();
    let refused = node.request("wipe", json!({})).unwrap().unwrap_err();
    assert_eq!(refused.code, "bad_request");
    assert_eq!(names(&node), ["Mine"]);
    node.ok("wipe", json!({"confirm": "wipe"})).unwrap();
    assert!(node.wait_for_end().unwrap().success());
    assert!(
        files(folder.path()).is_empty(),
        "{:?}",
        files(folder.path())
    );
    let node = node.restart().unwrap();
    assert!(names(&node).is_empty());
    assert_ne!(fs::read(folder.path().join("profile.key")).unwrap(), key);
}

#[tokio::test]
async fn other_handles_of_a_wiped_node_are_closed() {
    let folder = tempfile::tempdir().unwrap();
    let config = Config {
        name: Some("Ada".into()),
        listen: vec![([127, 0, 0, 1], 0).into()],
        receipts: Receipts::Never,
        ..Config::at(folder.path().join("profile"))
    };
    let (node, _events) = Node::open(config).await.unwrap();
    node.create_room("Mine").await.unwrap();
    let other = node.clone();
    node.wipe().await.unwrap();
    assert_eq!(other.rooms().await.unwrap_err().code, ErrorCode::Closed);
    assert!(files(folder.path()).is_empty());
}

/// One profile, copied for each round; the n-th round is killed before the n-th disk operation of the
/// wipe. The rounds end with the first wipe that gets through.
#[cfg(target_os = "linux")]
#[test]
fn a_wipe_that_is_killed_anywhere_is_finished_by_the_next_start() {
    let original = tempfile::tempdir().unwrap();
    profile(original.path());
    let key = fs::read(original.path().join("profile.key")).unwrap();
    let seal = fs::read(original.path().join("profile/store/seal")).unwrap();
    let (mut untouched, mut resumed) = (0, 0);
    for operation in 0..OPERATIONS_MAX {
        let folder = tempfile::tempdir().unwrap();
        copy(original.path(), folder.path());
        let mut node = NodeProcess::start(Launch {
            env: vec![
                ("LD_PRELOAD".into(), killer().to_str().unwrap().into()),
                ("PN_KILL_AT".into(), operation.to_string()),
            ],
            ..Launch::new("Ada", folder.path())
        })
        .unwrap();
        node.post("wipe", json!({"confirm": "wipe"})).unwrap();
        let status = node.wait_for_end().unwrap();
        if status.success() {
            assert!(files(folder.path()).is_empty());
            println!(
                "{operation} operations: {untouched} kills came before, {resumed} wipes were resumed"
            );
            assert!(untouched >= 2 && resumed >= 10);
            return;
        }
        assert_eq!(status.code(), None, "round {operation}: {status}");
        let begun = folder.path().join("profile/wiping").exists();
        let node = NodeProcess::start(Launch::new("Ada", folder.path())).unwrap();
        let left = names(&node);
        let gone = !files(folder.path())
            .iter()
            .any(|(_, bytes)| holds(bytes, &key) || holds(bytes, &seal));
        if left == ["Mine"] {
            assert!(
                !begun && !gone,
                "round {operation}: a wipe that began was forgotten"
            );
            untouched += 1;
        } else {
            assert!(
                left.is_empty() && gone,
                "round {operation}: {left:?} is left"
            );
            assert!(!folder.path().join("profile/wiping").exists());
            resumed += 1;
        }
    }
    panic!("a wipe takes more than {OPERATIONS_MAX} operations");
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// kill.c, compiled once.
fn killer() -> &'static PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("at_rest/kill.c");
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
        fs::create_dir_all(folder).unwrap();
        let built = folder.join(format!("kill-{}.so", std::process::id()));
        let output = Command::new("cc")
            .args([
                "-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", "-o",
            ])
            .args([&built, &source])
            .output()
            .expect("these tests need a C compiler, `cc`");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
        built
    })
}
