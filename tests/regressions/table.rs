//! README.md says which test stands for what; a name that is not there is a defect.

use std::path::Path;

#[test]
fn every_line_of_the_list_names_tests_that_exist() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = std::fs::read_to_string(folder.join("regressions/README.md")).unwrap();
    let lines: Vec<_> = readme
        .lines()
        .filter(|l| l.starts_with("| "))
        .skip(1)
        .collect();
    assert_eq!(lines.len(), 20, "the list in security.md has twenty");
    for line in lines {
        let named: Vec<_> = line
            .split('`')
            .filter(|word| word.contains(".rs: "))
            .collect();
        assert!(!named.is_empty() || line.contains("not yet"), "{line}");
        for name in named {
            let (file, test) = name.split_once(": ").unwrap();
            let source = std::fs::read_to_string(folder.join("..").join(file));
            let source = source.unwrap_or_else(|e| panic!("{file}: {e}"));
            assert!(source.contains(&format!("fn {test}(")), "{name}");
        }
    }
}
