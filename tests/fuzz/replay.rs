//! The corpora of the fuzz targets, replayed by an ordinary build, and the seeds that they start from.
//!
//! A file in tests/fuzz/corpus/NAME is a seed (`seed-*`, written by the ignored test below from the wire vectors
//! and from real handshakes, pictures and packets) or an input that once broke the target: libFuzzer's
//! `crash-*`, committed together with the fix.

mod seeds;
#[path = "src/targets/mod.rs"]
pub mod targets;

use std::path::{Path, PathBuf};

fn corpus(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz/corpus")
        .join(target)
}

fn files(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = std::fs::read_dir(corpus(target)).expect("every target has a corpus");
    let mut files: Vec<_> = folder
        .map(|entry| entry.expect("a file").path())
        .map(|path| (path.clone(), std::fs::read(&path).expect("a readable file")))
        .collect();
    files.sort();
    files
}

#[test]
fn nothing_in_a_corpus_breaks_its_target() {
    for (name, target) in targets::ALL {
        let files = files(name);
        assert!(!files.is_empty(), "{name} has no seeds");
        for (path, bytes) in files {
            // The last line before a panic names the file.
            println!("{}", path.display());
            target(&bytes);
        }
    }
}

#[test]
fn nothing_in_a_corpus_breaks_another_target() {
    let all: Vec<_> = targets::ALL.iter().flat_map(|(n, _)| files(n)).collect();
    // Pictures take a decoder of pictures long, and are in its own corpus.
    let slow = ["luma", "picture"];
    for (name, target) in targets::ALL.iter().filter(|(n, _)| !slow.contains(n)) {
        for (path, bytes) in &all {
            println!("{name}: {}", path.display());
            target(bytes);
        }
    }
}

#[test]
fn every_target_has_a_program_and_a_line_in_the_soak() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let manifest = std::fs::read_to_string(folder.join("Cargo.toml")).expect("a manifest");
    let soak = std::fs::read_to_string(folder.join("../../scripts/soak.sh")).expect("a script");
    for (name, _) in targets::ALL {
        assert!(folder.join(format!("targets/{name}.rs")).exists(), "{name}");
        assert!(manifest.contains(&format!("name = \"{name}\"")), "{name}");
        let mut words = soak.split(|c: char| !c.is_alphanumeric() && c != '_');
        assert!(words.any(|word| word == *name), "{name}");
    }
}

#[test]
#[ignore = "writes the seeds anew: cargo test --workspace --test fuzz_replay -- --ignored"]
fn write_the_seeds() {
    for (target, seeds) in seeds::all() {
        let folder = corpus(target);
        std::fs::create_dir_all(&folder).expect("a folder");
        for (old, _) in files(target) {
            if old
                .file_name()
                .is_some_and(|n| n.to_string_lossy().starts_with("seed-"))
            {
                std::fs::remove_file(old).expect("an old seed goes");
            }
        }
        for (n, seed) in seeds.iter().enumerate() {
            std::fs::write(folder.join(format!("seed-{n:02}")), seed).expect("a seed");
        }
    }
}
