//! A carrier box in a Wi-Fi: `peddlenet-signaling --beacon` on a host of its own.

use std::net::IpAddr;

use anyhow::{Context, Result, ensure};

use super::{Host, Lab, Plug, SERVER_PORT, Wifi};
use crate::server_process::{ServerProcess, server_binary};

/// See the module's documentation.
pub struct CarrierBox {
    _server: ServerProcess,
    _plug: Plug,
    _host: Host,
    data: tempfile::TempDir,
    address: IpAddr,
}

impl CarrierBox {
    /// A box that joins that network, and whose relay may send to its devices: `peers` as in 10.0.0.0/24.
    ///
    /// # Errors
    /// A command failed, or the box did not start.
    pub fn join(lab: &Lab, wifi: &Wifi, peers: &str) -> Result<Self> {
        let host = lab.host("box")?;
        let plug = wifi.join(&host)?;
        let address = plug.address()?;
        let data = tempfile::tempdir()?;
        let folder = data.path().to_string_lossy().into_owned();
        let (listen, udp) = (
            format!("{address}:{SERVER_PORT}"),
            format!("{address}:3478"),
        );
        let public = address.to_string();
        let args = [
            "--beacon",
            "--data",
            &folder,
            "--listen",
            &listen,
            "--udp",
            &udp,
            "--public-ip",
            &public,
            "--allow-peer",
            peers,
        ];
        let command = host.command(&server_binary()?.to_string_lossy());
        Ok(Self {
            _server: ServerProcess::start(command, &args)?,
            _plug: plug,
            _host: host,
            data,
            address,
        })
    }

    /// Where it is.
    pub fn address(&self) -> IpAddr {
        self.address
    }

    /// A pass that its organiser makes, as text.
    ///
    /// # Errors
    /// The program said no.
    pub fn pass(&self) -> Result<String> {
        let mut command = std::process::Command::new(server_binary()?);
        let output = command.args(["pass", "--data"]).arg(self.data.path());
        let output = output.output()?;
        ensure!(output.status.success(), "no pass: {output:?}");
        let said = String::from_utf8(output.stdout)?;
        let pass = said
            .lines()
            .find(|line| line.trim().starts_with("PEDDLENET:C/"));
        Ok(pass.context("no pass is printed")?.trim().to_owned())
    }
}
