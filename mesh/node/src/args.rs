//! The command line.

use std::{
    fs::File,
    io::{BufRead as _, BufReader, Read as _},
    net::SocketAddr,
    path::{Path, PathBuf},
};

use peddlenet_mesh::{Config, Keys, Passphrase, Receipts, ServerUrl};

const USAGE: &str = "usage: peddlenet-node --data DIR [--name NAME] [--listen IP:PORT]... \
[--announce IP:PORT]... [--server URL]... [--key-file PATH] [--passphrase-file PATH] [--no-lan] [--no-direct] [--no-receipts]";

/// More bytes than a passphrase and its line end have.
const PASSPHRASE_LINE_MAX: u64 = 2048;

/// What was asked for.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Args {
    data: PathBuf,
    name: Option<String>,
    listen: Vec<SocketAddr>,
    announce: Vec<SocketAddr>,
    servers: Vec<ServerUrl>,
    key_file: Option<PathBuf>,
    passphrase_file: Option<PathBuf>,
    no_lan: bool,
    no_direct: bool,
    no_receipts: bool,
}

impl Args {
    /// Reads the arguments; an error is the text to show.
    pub(crate) fn parse(args: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut out = Self::default();
        let mut args = args.peekable();
        let mut data = None;
        while let Some(arg) = args.next() {
            let mut value = || args.next().ok_or(format!("{arg} needs a value\n{USAGE}"));
            match arg.as_str() {
                "--data" => data = Some(PathBuf::from(value()?)),
                "--name" => out.name = Some(value()?),
                "--listen" => out.listen.push(address(&value()?)?),
                "--announce" => out.announce.push(address(&value()?)?),
                "--server" => out.servers.push(server(&value()?)?),
                "--key-file" => out.key_file = Some(PathBuf::from(value()?)),
                "--passphrase-file" => out.passphrase_file = Some(PathBuf::from(value()?)),
                "--no-lan" => out.no_lan = true,
                "--no-direct" => out.no_direct = true,
                "--no-receipts" => out.no_receipts = true,
                "--help" | "-h" => return Err(USAGE.to_owned()),
                _ => return Err(format!("unknown argument {arg}\n{USAGE}")),
            }
        }
        out.data = data.ok_or(format!("--data is needed\n{USAGE}"))?;
        Ok(out)
    }

    /// How to open the node. Reads the passphrase; an error is the text to show.
    pub(crate) fn config(&self) -> Result<Config, String> {
        let passphrase = self.passphrase_file.as_deref().map(passphrase);
        Ok(Config {
            name: self.name.clone(),
            listen: self.listen.clone(),
            announce: self.announce.clone(),
            lan: !self.no_lan,
            direct: !self.no_direct,
            servers: self.servers.clone(),
            receipts: if self.no_receipts {
                Receipts::Never
            } else {
                Receipts::OnDelivery
            },
            keys: Keys {
                keychain: None,
                passphrase: passphrase.transpose()?,
                file: self.key_file.clone(),
            },
            ..Config::at(&self.data)
        })
    }
}

/// The first line of a file: a pipe such as /dev/fd/3 leaves nothing on the disk.
fn passphrase(path: &Path) -> Result<Passphrase, String> {
    let say = |why: String| format!("--passphrase-file {}: {why}", path.display());
    let file = File::open(path).map_err(|e| say(e.to_string()))?;
    let mut line = String::new();
    BufReader::new(file.take(PASSPHRASE_LINE_MAX))
        .read_line(&mut line)
        .map_err(|e| say(e.to_string()))?;
    let passphrase = Passphrase::new(&line);
    passphrase.map_err(|_| say("its first line is empty or longer than 1,024 bytes".to_owned()))
}

fn server(text: &str) -> Result<ServerUrl, String> {
    ServerUrl::parse(text).map_err(|e| format!("--server {text}: {e}"))
}

fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse()
        .map_err(|_| format!("{text} is not IP:PORT\n{USAGE}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(args: &str) -> Result<Args, String> {
        Args::parse(args.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn every_flag_of_the_contract_is_taken() {
        let args = parse(
            "--data d --name Ada --listen 127.0.0.1:0 --listen [::1]:7 --announce 1.2.3.4:5 --server ws://x --key-file k \
             --no-lan --no-direct --no-receipts",
        );
        let args = args.expect("all of them are known");
        assert_eq!((args.listen.len(), args.announce.len()), (2, 1));
        let config = args.config().expect("there is no passphrase to read");
        assert_eq!(config.receipts, Receipts::Never);
        assert_eq!(config.keys.file, Some("k".into()));
        assert!(!config.lan && !config.direct);
        assert_eq!(config.servers.len(), 1);
    }

    #[test]
    fn what_is_missing_or_wrong_is_said() {
        assert!(parse("").is_err_and(|e| e.contains("--data is needed")));
        assert!(parse("--data").is_err_and(|e| e.contains("needs a value")));
        assert!(parse("--data d --listen here").is_err_and(|e| e.contains("not IP:PORT")));
        assert!(parse("--data d --server http://x").is_err_and(|e| e.contains("wss://")));
        let no_file = parse("--data d --passphrase-file /nowhere/at/all").expect("known");
        assert!(
            no_file
                .config()
                .is_err_and(|e| e.contains("/nowhere/at/all"))
        );
        assert!(parse("--data d --loud").is_err_and(|e| e.contains("unknown argument")));
    }
}
