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

/// `make soak ONLY=fuzz` runs what the manifest names.
#[test]
fn every_target_has_a_program() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let manifest = std::fs::read_to_string(folder.join("Cargo.toml")).expect("a manifest");
    for (name, _) in targets::ALL {
        assert!(folder.join(format!("targets/{name}.rs")).exists(), "{name}");
        assert!(manifest.contains(&format!("name = \"{name}\"")), "{name}");
    }
}

/// The files that a library of the fuzz workspace is made of: each `#[path]`, or the modules in the folder that it names.
fn files_of(shim: &str) -> Vec<String> {
    let mut files = Vec::new();
    let mut lines = shim.lines().map(str::trim);
    while let Some(line) = lines.next() {
        let Some(path) = line.strip_prefix("#[path = \"") else {
            continue;
        };
        let path = path.trim_end_matches("\"]");
        if path.ends_with(".rs") {
            files.push(path.to_owned());
            continue;
        }
        let inside = lines.by_ref().skip(1).take_while(|line| *line != "}");
        let module = |line: &str| {
            let (_, name) = line.trim_end_matches(';').rsplit_once(' ')?;
            Some(format!("{path}/{name}.rs"))
        };
        files.extend(inside.filter_map(module));
    }
    files
}

/// The fuzz workspace compiles a few files without their crate. One that comes to need another module of its crate
/// is noticed here, and not by the next soak.
#[test]
fn files_that_are_compiled_alone_need_nothing_else_of_their_crate() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    for part in ["door", "frames", "mesh"] {
        let root = folder.join(part).join("src");
        let shim = std::fs::read_to_string(root.join("lib.rs")).expect("a library");
        let files = files_of(&shim);
        assert!(!files.is_empty());
        let modules: Vec<_> = files.iter().map(|f| Path::new(f).file_stem()).collect();
        for file in &files {
            let source = std::fs::read_to_string(root.join(file)).expect(file);
            let product = source.split("\nmod tests {").next().unwrap_or_default();
            let code = product
                .lines()
                .filter(|l| !l.trim_start().starts_with("//"));
            for rest in code.flat_map(|line| line.split("crate::").skip(1)) {
                let name: String = rest
                    .chars()
                    .take_while(|c| c.is_alphanumeric() || *c == '_')
                    .collect();
                let is_module = name.starts_with(char::is_lowercase);
                let known = modules.contains(&Some(name.as_ref()));
                assert!(
                    !is_module || known,
                    "{file} needs `{name}`: add its file to tests/fuzz/{part}/src/lib.rs"
                );
            }
        }
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
