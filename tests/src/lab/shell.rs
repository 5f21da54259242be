//! Running `ip`, `bridge`, `tc`, `nft` and `conntrack`. An error names the command and what it said.

use std::{
    io::Write as _,
    process::{Command, Stdio},
};

use anyhow::{Context, Result, ensure};

/// Runs a program to its end and gives what it printed.
pub(super) fn run(program: &str, args: &[&str]) -> Result<String> {
    let output = Command::new(program)
        .args(args)
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("{program} did not start: is it installed?"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success(),
        "{program} {}: {}: {}",
        args.join(" "),
        output.status,
        said.trim()
    );
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The same with text on its standard input, which the error shows.
pub(super) fn feed(program: &str, args: &[&str], input: &str) -> Result<()> {
    let mut child = Command::new(program)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("{program} did not start: is it installed?"))?;
    let mut stdin = child.stdin.take().context("no pipe")?;
    stdin.write_all(input.as_bytes())?;
    drop(stdin);
    let output = child.wait_with_output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success(),
        "{program} {}: {}: {}\n{input}",
        args.join(" "),
        output.status,
        said.trim()
    );
    Ok(())
}

/// Whether `PATH` has the program.
pub(super) fn is_there(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_names_the_command_and_what_it_said() {
        let error = run("ls", &["/nowhere/at/all"]).unwrap_err().to_string();
        assert!(error.starts_with("ls /nowhere/at/all: exit"), "{error}");
        let missing = run("no-such-program-here", &[]).unwrap_err().to_string();
        assert!(missing.contains("is it installed?"), "{missing}");
        let error = feed("sh", &["-c", "cat >&2; exit 3"], "what came in").unwrap_err();
        assert!(error.to_string().contains("what came in"), "{error}");
        assert!(is_there("sh") && !is_there("no-such-program-here"));
    }
}
