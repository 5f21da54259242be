//! The link handshake against somebody who knows the key, one who doesn't, and one who changes what he hears.

use peddlenet_crypto::{Handshake, Hello, Step};
use peddlenet_wire::Fingerprint;

use super::take;

/// `mode 1 | at which message 1 | bytes`: the bytes replace a message, are XORed into it, or follow it.
pub fn handshake(mut data: &[u8]) {
    let [mode, at] = take(&mut data);
    let hello = || Hello {
        versions: 1..=1,
        features: u64::from(mode),
    };
    let (d, l) = (Fingerprint([10; 32]), Fingerprint([11; 32]));
    let mut dialer = Handshake::dialer(&[12; 32], d, l, hello(), [13; 32]).expect("a dialer");
    let mut listener = Handshake::listener(&[12; 32], d, l, hello(), [14; 32]).expect("a listener");
    let Ok(Step::Send(mut message)) = dialer.step(None) else {
        panic!("the dialer speaks first");
    };
    let mut touched = false;
    for turn in 0..3 {
        if turn == at % 3 {
            let honest = message.clone();
            change(&mut message, mode, data);
            touched = message != honest;
        }
        let hears = if turn % 2 == 0 {
            &mut listener
        } else {
            &mut dialer
        };
        match hears.step(Some(&message)) {
            Ok(Step::Send(next)) => message = next,
            Ok(Step::SendAndDone(next, _)) => {
                assert!(!touched, "established over a changed message");
                message = next;
            }
            Ok(Step::Done(_)) => {
                assert!(!touched, "established over a changed message");
                return;
            }
            Ok(Step::Wait) => return,
            Err(_) => {
                assert!(touched, "an honest handshake failed");
                // An error ends it, whatever comes then.
                assert!(hears.step(Some(data)).is_err());
                return;
            }
        }
    }
}

fn change(message: &mut Vec<u8>, mode: u8, data: &[u8]) {
    match mode % 3 {
        0 => *message = data.to_vec(),
        1 => {
            for (byte, change) in message.iter_mut().zip(data) {
                *byte ^= change;
            }
        }
        _ => message.extend_from_slice(data),
    }
}
