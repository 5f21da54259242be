//! The parts of the shell that need no window, tested without linking one.
//!
//! Their tests stand at the bottom of each file. The app itself is tested in tests/e2e.

#![allow(
    dead_code,
    unused_imports,
    unreachable_pub,
    reason = "what uses these parts needs Tauri and is not compiled here"
)]

#[path = "../src-tauri/src/address.rs"]
mod address;
#[path = "../src-tauri/src/batcher.rs"]
mod batcher;
#[path = "../src-tauri/src/desktop/mod.rs"]
mod desktop;
#[path = "../src-tauri/src/dto/mod.rs"]
mod dto;
#[path = "../src-tauri/src/error.rs"]
mod error;
#[path = "../src-tauri/src/front.rs"]
mod front;
#[path = "../src-tauri/src/link.rs"]
mod link;
#[path = "../src-tauri/src/notices/mod.rs"]
mod notices;
#[path = "../src-tauri/src/options.rs"]
mod options;
#[cfg(target_os = "linux")]
#[path = "../src-tauri/src/painting.rs"]
mod painting;
#[path = "../src-tauri/src/place.rs"]
mod place;
#[path = "../src-tauri/src/scanner.rs"]
mod scanner;
#[path = "../src-tauri/src/tries.rs"]
mod tries;
#[path = "../src-tauri/src/words.rs"]
mod words;

use std::collections::BTreeSet;

/// The names between `start` and the next `end`, split at commas, without quotes and paths.
fn names(source: &str, start: &str, end: char) -> BTreeSet<String> {
    let (_, rest) = source.split_once(start).expect(start);
    let (list, _) = rest.split_once(end).expect("the list ends");
    list.split(',')
        .map(|name| {
            name.trim()
                .trim_matches('"')
                .rsplit("::")
                .next()
                .unwrap_or_default()
                .to_owned()
        })
        .filter(|name| !name.is_empty())
        .collect()
}

/// The names that `ui/ipc/index.js` calls.
fn called(source: &str) -> BTreeSet<String> {
    source
        .split("call('")
        .skip(1)
        .filter_map(|rest| rest.split_once('\'').map(|(name, _)| name.to_owned()))
        .collect()
}

#[test]
fn page_permissions_and_handlers_name_the_same_commands() {
    let handlers = names(
        include_str!("../src-tauri/src/lib.rs"),
        "generate_handler![",
        ']',
    );
    let allowed = names(
        include_str!("../src-tauri/permissions/ui.toml"),
        "commands.allow = [",
        ']',
    );
    let called = called(include_str!("../ui/ipc/index.js"));
    assert_eq!(handlers, allowed);
    assert_eq!(handlers, called);
}

/// What the page may load and call, word for word: whoever widens it changes this, too, and says why.
#[test]
fn the_policy_and_the_capabilities_are_the_smallest_that_the_page_works_with() {
    use serde_json::{Value, json};

    let config: Value =
        serde_json::from_str(include_str!("../tauri.conf.json")).expect("JSON of Tauri");
    assert_eq!(
        config["app"]["security"],
        json!({
            "capabilities": ["main"],
            "csp": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; \
                media-src 'self' blob: mediastream:; connect-src ipc: http://ipc.localhost; base-uri 'none'; \
                form-action 'none'; frame-ancestors 'none'; object-src 'none'"
        }),
        "and no key that loosens one of them"
    );
    let plugins = config["plugins"].as_object().expect("plugins");
    assert_eq!(plugins.keys().collect::<Vec<_>>(), ["deep-link"]);

    let capability: Value =
        serde_json::from_str(include_str!("../src-tauri/capabilities/main.json")).expect("JSON");
    let mut capability = capability.as_object().expect("an object").clone();
    assert!(capability.remove("description").is_some());
    assert_eq!(
        Value::from(capability),
        json!({"identifier": "main", "windows": ["main"], "local": true, "permissions": ["ui"]})
    );
    let src = concat!(env!("CARGO_MANIFEST_DIR"), "/../src-tauri/");
    for (folder, only) in [("capabilities", "main.json"), ("permissions", "ui.toml")] {
        let files = std::fs::read_dir(format!("{src}{folder}")).expect(folder);
        let names: Vec<_> = files
            .map(|file| file.expect("a file"))
            .filter(|file| file.path().is_file())
            .map(|file| file.file_name())
            .collect();
        assert_eq!(names, [only], "{folder}");
    }
    let permission = include_str!("../src-tauri/permissions/ui.toml");
    assert_eq!(permission.matches("[[permission]]").count(), 1);
    assert!(!permission.contains("scope"));
}
