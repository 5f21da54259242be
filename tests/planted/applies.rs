//! The planted bugs fit the code as it is: `scripts/planted.sh`, which builds each of them, is a long run.

use std::{path::Path, process::Command};

#[test]
fn every_planted_bug_applies_and_names_the_test_that_catches_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let folder = std::fs::read_dir(root.join("tests/planted")).expect("a folder of patches");
    let paths = folder.map(|entry| entry.expect("a folder entry reads").path());
    let patches: Vec<_> = paths
        .filter(|path| path.extension().is_some_and(|e| e == "patch"))
        .collect();
    assert!(patches.len() >= 10, "{} patches", patches.len());
    for patch in patches {
        let text = std::fs::read_to_string(&patch).expect("a patch is text");
        let mut lines = text.lines();
        let mut begins = |word| lines.next().is_some_and(|line| line.starts_with(word));
        assert!(begins("bug:") && begins("test:"), "{}", patch.display());
        let check = Command::new("git")
            .current_dir(&root)
            .args(["apply", "--check"])
            .arg(&patch)
            .output()
            .expect("git runs");
        let said = String::from_utf8_lossy(&check.stderr);
        assert!(check.status.success(), "{}: {said}", patch.display());
    }
}
