//! The arrows of the house, held: which crate may import which, and which may not touch the world.
//!
//! The compiler refuses an import that Cargo.toml doesn't name; this test refuses the name.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Crate -> those of ours that it may import. `peddlenet-tests` may import anything.
const ARROWS: &[(&str, &[&str])] = &[
    ("peddlenet", &["mesh", "qr"]),
    (
        "peddlenet-mesh",
        &["wire", "crypto", "room", "gossip", "store", "peer"],
    ),
    ("peddlenet-node", &["mesh", "qr"]),
    // Its library uses wire and store; its program also mesh, for beacon mode.
    ("peddlenet-signaling", &["wire", "store", "mesh"]),
    ("peddlenet-crypto", &["wire"]),
    ("peddlenet-room", &["wire", "crypto"]),
    ("peddlenet-gossip", &["wire"]),
    ("peddlenet-store", &["wire"]),
    ("peddlenet-peer", &["wire", "crypto"]),
    ("peddlenet-wire", &[]),
    ("peddlenet-qr", &[]),
    ("peddlenet-sim", &["wire", "gossip"]),
];

/// Crates to which time and randomness are arguments.
const PURE: &[&str] = &["mesh/wire", "mesh/crypto", "mesh/room", "mesh/gossip"];

/// What reads a clock, an RNG, a socket, a file, or starts something.
const WORLD: &[&str] = &[
    "SystemTime",
    "Instant::now",
    "getrandom",
    "OsRng",
    "thread_rng",
    "rand::rng",
    "UdpSocket",
    "TcpStream",
    "TcpListener",
    "ToSocketAddrs",
    "std::fs",
    "std::env",
    "std::process",
    "std::thread",
    "tokio::",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Crate -> those of ours in its `[dependencies]` and `[build-dependencies]`.
fn imports() -> BTreeMap<String, BTreeSet<String>> {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--no-deps",
            "--offline",
            "--format-version",
            "1",
        ])
        .current_dir(root())
        .output()
        .expect("cargo metadata runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: serde_json::Value =
        serde_json::from_slice(&output.stdout).expect("metadata is JSON");
    let list = |value: &serde_json::Value| value.as_array().cloned().unwrap_or_default();
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    list(&metadata["packages"])
        .iter()
        .map(|package| {
            let ours = list(&package["dependencies"])
                .iter()
                .filter(|dependency| dependency["kind"] != "dev")
                .map(|dependency| text(&dependency["name"]))
                .filter(|name| name.starts_with("peddlenet"))
                .collect();
            (text(&package["name"]), ours)
        })
        .collect()
}

#[test]
fn crates_import_only_along_the_arrows() {
    let imports = imports();
    let known: BTreeSet<&str> = ARROWS.iter().map(|(name, _)| *name).collect();
    for name in imports.keys().filter(|name| *name != "peddlenet-tests") {
        assert!(
            known.contains(name.as_str()),
            "{name} has no arrows yet: add it here and to README.md"
        );
    }
    for (name, allowed) in ARROWS {
        let allowed: BTreeSet<String> =
            allowed.iter().map(|to| format!("peddlenet-{to}")).collect();
        let actual = imports
            .get(*name)
            .unwrap_or_else(|| panic!("{name} is gone"));
        let against: Vec<_> = actual.difference(&allowed).collect();
        assert!(against.is_empty(), "{name} may not import {against:?}");
    }
}

/// The server's library stays usable without a mesh in it: only what makes up its program may name one.
#[test]
fn only_the_servers_program_names_the_mesh() {
    let of_program = ["main.rs", "beacon.rs", "issue.rs", "options.rs"];
    let mut named = 0;
    for file in rust_files(&root().join("signaling/src")) {
        let source = std::fs::read_to_string(&file).expect("a source file reads");
        let names = product_lines(&source).any(|(_, line)| line.contains("peddlenet_mesh"));
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let ours = of_program.contains(&name.as_ref());
        assert!(!names || ours, "{} names the mesh", file.display());
        named += usize::from(names);
    }
    assert!(
        named > 0,
        "nothing names the mesh: this test looks for the wrong word"
    );
}

#[test]
fn pure_crates_never_touch_the_world() {
    let mut found = Vec::new();
    for crate_dir in PURE {
        let files = rust_files(&root().join(crate_dir).join("src"));
        assert!(!files.is_empty(), "{crate_dir} has no sources");
        for file in files {
            let source = std::fs::read_to_string(&file).expect("a source file reads");
            for (number, line) in product_lines(&source) {
                if let Some(word) = WORLD.iter().find(|word| line.contains(**word)) {
                    found.push(format!("{}:{number}: {word}", file.display()));
                }
            }
        }
    }
    assert!(
        found.is_empty(),
        "time and randomness are arguments here:\n{}",
        found.join("\n")
    );
}

#[test]
fn the_check_sees_a_clock_and_passes_over_tests_and_comments() {
    let source =
        "// SystemTime\nlet now = SystemTime::now();\n#[cfg(test)]\nmod tests { SystemTime }";
    let hits: Vec<_> = product_lines(source)
        .filter(|(_, line)| line.contains("SystemTime"))
        .collect();
    assert_eq!(hits, [(2, "let now = SystemTime::now();")]);
}

/// Numbered lines of a file up to its tests, which stand at the bottom; comments left out.
fn product_lines(source: &str) -> impl Iterator<Item = (usize, &str)> {
    (1..)
        .zip(source.lines())
        .take_while(|(_, line)| !line.starts_with("mod tests {"))
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
}

fn rust_files(dir: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(dir).expect("a source folder reads") {
        let path = entry.expect("a folder entry reads").path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|e| e == "rs") && !path.ends_with("tests.rs") {
            files.push(path);
        }
    }
    files
}
