//! A UDP socket in a host of the lab, driven through lines: what the lab's own tests look at networks with.
//!
//! ```text
//!  lab_probe PORT       stdin:  ADDR TEXT     sends that; TEXT without spaces
//!                       stdout: ready, then a line a datagram: FROM TEXT
//! ```

use std::{io::BufRead as _, net::UdpSocket};

use anyhow::{Context, Result};

/// Bytes of the longest text.
const TEXT_MAX: usize = 1_024;

fn main() -> Result<()> {
    let port: u16 = std::env::args().nth(1).context("a port")?.parse()?;
    let socket = UdpSocket::bind(("0.0.0.0", port))?;
    let sender = socket.try_clone()?;
    println!("ready");
    std::thread::spawn(move || {
        let mut text = [0; TEXT_MAX];
        // Somebody's port that was closed answers with an error, which belongs to no datagram.
        loop {
            if let Ok((length, from)) = socket.recv_from(&mut text) {
                println!("{from} {}", String::from_utf8_lossy(&text[..length]));
            }
        }
    });
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let (to, text) = line.split_once(' ').context("ADDR TEXT")?;
        // A network that is gone is what the tests look for.
        let _ = sender.send_to(text.as_bytes(), to);
    }
    Ok(())
}
