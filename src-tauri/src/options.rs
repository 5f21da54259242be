//! What the command line and the environment say, parsed once, at the edge.
//!
//! A profile is one person's folder: their name, keys, rooms and history, and what the web view
//! keeps for them. Two windows on one machine need two profiles.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::link::Link;

/// Printed by `--help` and after a wrong option.
pub const USAGE: &str = "\
Usage: peddlenet [--profile NAME] [LINK]

  LINK                 a peddlenet: link, as a code holds one: the window offers to join
  --profile NAME       keep this person's rooms apart from the others' on this computer
  --version, --help

  PEDDLENET_DATA=DIR   keep everything in DIR instead
  PEDDLENET_LOG=FILTER what is logged to standard error, such as debug or peddlenet_mesh=trace";

/// The profile of a person who asked for none.
const DEFAULT_PROFILE: &str = "default";

/// The longest name of a profile: it becomes the name of a folder.
const MAX_PROFILE_LEN: usize = 32;

/// What was asked for.
#[derive(Debug, PartialEq, Eq)]
pub enum Options {
    /// Open the window, and offer what the link leads to.
    Open(Profile, Option<Link>),
    /// Print the usage.
    Help,
    /// Print the version.
    Version,
}

/// Which person's folder to open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Profile {
    /// A folder of that name in the app's own data folder.
    Named(String),
    /// Exactly this folder.
    At(PathBuf),
}

impl Options {
    /// Reads the arguments (without the program's name) and `PEDDLENET_DATA`. `--profile` wins over the
    /// variable. Of several links the last counts.
    ///
    /// # Errors
    /// A plain sentence that names the wrong option or profile.
    pub fn parse(
        args: impl IntoIterator<Item = String>,
        data: Option<OsString>,
    ) -> Result<Self, String> {
        let (mut profile, mut link) = (None, None);
        let mut args = args.into_iter();
        while let Some(arg) = args.next() {
            match arg.as_str() {
                "--help" | "-h" => return Ok(Self::Help),
                "--version" | "-V" => return Ok(Self::Version),
                "--profile" => profile = Some(args.next().unwrap_or_default()),
                other => match (other.strip_prefix("--profile="), Link::parse(other)) {
                    (Some(name), _) => profile = Some(name.to_owned()),
                    (None, Some(given)) => link = Some(given),
                    (None, None) if other.starts_with('-') => {
                        return Err(format!("there is no option {}", short(other)));
                    }
                    (None, None) => return Err(format!("{} is no PeddleNet link", short(other))),
                },
            }
        }
        let data = data.filter(|dir| !dir.is_empty());
        let profile = match (profile, data) {
            (Some(name), _) => Profile::named(&name)?,
            (None, Some(dir)) => Profile::At(dir.into()),
            (None, None) => Profile::named(DEFAULT_PROFILE)?,
        };
        Ok(Self::Open(profile, link))
    }
}

/// An argument as it may stand in a sentence: a program that opens links hands over anything.
fn short(arg: &str) -> String {
    const MOST: usize = 40;
    arg.chars().filter(|c| !c.is_control()).take(MOST).collect()
}

impl Profile {
    fn named(name: &str) -> Result<Self, String> {
        let fits = (1..=MAX_PROFILE_LEN).contains(&name.len());
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if fits && name.chars().all(plain) {
            Ok(Self::Named(name.to_owned()))
        } else {
            Err(format!(
                "a profile's name has 1 to {MAX_PROFILE_LEN} letters, digits, - or _"
            ))
        }
    }

    /// What the window's title says, so that two people's windows on one screen can be told apart.
    #[must_use]
    pub fn title(&self) -> String {
        match self {
            Self::Named(name) if name != DEFAULT_PROFILE => format!("PeddleNet ({name})"),
            _ => "PeddleNet".to_owned(),
        }
    }

    /// The profile's folder; `app_data` is where this system keeps the app's data.
    #[must_use]
    pub fn folder(&self, app_data: &Path) -> PathBuf {
        match self {
            Self::Named(name) => app_data.join("profiles").join(name),
            Self::At(dir) => dir.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(args: &[&str], data: Option<&str>) -> Result<Options, String> {
        Options::parse(
            args.iter().map(ToString::to_string),
            data.map(OsString::from),
        )
    }

    fn open(profile: Profile) -> Result<Options, String> {
        Ok(Options::Open(profile, None))
    }

    #[test]
    fn without_options_the_default_profile_opens() {
        assert_eq!(parse(&[], None), open(Profile::Named("default".into())));
        assert_eq!(parse(&[], Some("")), open(Profile::Named("default".into())));
    }

    #[test]
    fn a_named_profile_wins_over_the_variable() {
        assert_eq!(parse(&[], Some("/d")), open(Profile::At("/d".into())));
        let alice = || open(Profile::Named("alice".into()));
        assert_eq!(parse(&["--profile", "alice"], Some("/d")), alice());
        assert_eq!(parse(&["--profile=alice"], None), alice());
    }

    #[test]
    fn a_profile_cannot_leave_the_data_folder() {
        for name in [
            "",
            "..",
            "a/b",
            "a b",
            "é",
            &"x".repeat(MAX_PROFILE_LEN + 1),
        ] {
            assert!(parse(&["--profile", name], None).is_err(), "{name:?}");
        }
        assert!(parse(&["--profile"], None).is_err());
    }

    #[test]
    fn a_link_comes_along() {
        let link = || Link::parse("PEDDLENET:J/CBVQ");
        let profile = Profile::Named("alice".into());
        let with = Ok(Options::Open(profile, link()));
        assert_eq!(
            parse(&["--profile", "alice", "PEDDLENET:J/CBVQ"], None),
            with
        );
        assert_eq!(parse(&["PEDDLENET:J/CBVQ", "--profile=alice"], None), with);
    }

    #[test]
    fn what_is_no_link_is_named_without_what_could_hide_in_it() {
        let long = "x".repeat(100_000);
        for arg in ["https://example.org", "", "\u{1b}[2Jmischief", &long] {
            let problem = parse(&[arg], None).unwrap_err();
            assert!(problem.ends_with("is no PeddleNet link"), "{problem}");
            assert!(
                problem.len() < 80 && !problem.contains('\u{1b}'),
                "{problem}"
            );
        }
    }

    #[test]
    fn an_unknown_option_is_named() {
        let problem = parse(&["--colour"], None).unwrap_err();
        assert!(problem.contains("--colour"), "{problem}");
    }
}
