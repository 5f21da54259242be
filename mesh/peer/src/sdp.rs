//! The two session descriptions that no signalling channel carries, because both sides can write
//! them down themselves: the listener's answer (at the dialer) and the dialer's offer (at the
//! listener). Every string that goes in is checked ICE charset or made here, so none can smuggle
//! a line in.

use crate::Fingerprint;
use std::fmt::Write;
use std::net::SocketAddr;

/// What we are willing to reassemble: a 64 KiB frame.
pub(crate) const MAX_MESSAGE: u32 = 65_536;

/// Who is described.
pub(crate) struct Described<'a> {
    pub(crate) ufrag: &'a str,
    pub(crate) pwd: &'a str,
    pub(crate) fingerprint: Fingerprint,
}

/// The listener's answer: lite, passive, one host candidate per address.
pub(crate) fn answer(listener: &Described<'_>, addrs: &[SocketAddr]) -> String {
    let mut sdp = session("a=ice-lite\r\n", listener, "passive");
    for (index, addr) in addrs.iter().enumerate() {
        // Host preference of RFC 8445, the first address first.
        let local = 65_535_usize.saturating_sub(index);
        let priority = (126 << 24) + (local << 8) + 255;
        let (ip, port) = (addr.ip(), addr.port());
        // Writing to a String cannot fail.
        let _ = write!(
            sdp,
            "a=candidate:{} 1 udp {priority} {ip} {port} typ host\r\n",
            index + 1
        );
    }
    sdp.push_str("a=end-of-candidates\r\n");
    sdp
}

/// The dialer's offer. It names no candidates: the dialer shows where it is by its checks.
pub(crate) fn offer(dialer: &Described<'_>) -> String {
    session("", dialer, "active")
}

fn session(level: &str, who: &Described<'_>, setup: &str) -> String {
    let Described { ufrag, pwd, .. } = who;
    let hex: Vec<String> = who
        .fingerprint
        .0
        .iter()
        .map(|b| format!("{b:02X}"))
        .collect();
    let fingerprint = hex.join(":");
    format!(
        "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n{level}a=group:BUNDLE 0\r\n\
         m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\n\
         a=sendrecv\r\na=ice-ufrag:{ufrag}\r\na=ice-pwd:{pwd}\r\n\
         a=fingerprint:sha-256 {fingerprint}\r\na=setup:{setup}\r\na=sctp-port:5000\r\n\
         a=max-message-size:{MAX_MESSAGE}\r\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_lists_every_address() {
        let who = Described {
            ufrag: "u",
            pwd: "p",
            fingerprint: Fingerprint([0xab; 32]),
        };
        let addrs = [
            SocketAddr::from(([10, 0, 0, 1], 7)),
            SocketAddr::from(([0xfd00, 0, 0, 0, 0, 0, 0, 1], 7)),
        ];
        let sdp = answer(&who, &addrs);
        assert!(sdp.contains("a=ice-lite\r\n") && sdp.contains("a=setup:passive\r\n"));
        assert!(
            sdp.contains(" 10.0.0.1 7 typ host\r\n") && sdp.contains(" fd00::1 7 typ host\r\n")
        );
        assert!(sdp.contains("sha-256 AB:AB:"));
        assert!(
            sdp.lines()
                .all(|line| line.as_bytes().get(1) == Some(&b'='))
        );
    }
}
