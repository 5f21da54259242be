//! The programs of this workspace that tests and benchmarks run.

use std::{path::PathBuf, process::Command};

use anyhow::{Context, Result, ensure};

/// One of them, built in the profile of this very program, so that plain
/// `cargo test -p peddlenet-tests` works; or the one that a variable names.
pub(crate) fn find_or_build(variable: &str, package: &str) -> Result<PathBuf> {
    if let Some(path) = std::env::var_os(variable) {
        return Ok(path.into());
    }
    let own = std::env::current_exe()?;
    let mut folder = own.parent().context("no folder")?;
    if folder.ends_with("deps") {
        folder = folder.parent().context("no profile folder")?;
    }
    let path = folder.join(format!("{package}{}", std::env::consts::EXE_SUFFIX));
    // Cargo names itself to what it runs. Without it, what was built before has to do.
    if let Some(cargo) = std::env::var_os("CARGO") {
        let profile = match folder.file_name().and_then(|name| name.to_str()) {
            Some("debug") | None => "dev",
            Some(profile) => profile,
        };
        let target = folder.parent().context("no target folder")?;
        let built = Command::new(cargo)
            // With the features that `make test` gives the dependencies, those that only tests ask for included: a small test
            // is built beside, or all of them would be compiled a second time.
            .args(["build", "--quiet", "--workspace", "--test", "planted"])
            .args(["--bin", package])
            .args(["--profile", profile])
            .arg("--target-dir")
            .arg(target)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .status()?;
        ensure!(built.success(), "cargo build --bin {package}: {built}");
    }
    ensure!(path.exists(), "{} is missing", path.display());
    Ok(path)
}
