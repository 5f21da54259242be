//! The link handshake: Noise `XXpsk0` over an open data channel.
//!
//! ```text
//!  dialer                                                     listener
//!    | psk, e            {hello of the dialer}      ~ 70 B      |   the psk opens it, or it ends here
//!    | ----------------------------------------------------->   |
//!    | e, ee, s, es      {hello of the listener}    ~ 120 B     |
//!    | <-----------------------------------------------------   |
//!    | s, se             {}                         64 B        |
//!    | ----------------------------------------------------->   |
//!    Established { hash, version, features }   the same on both ends
//! ```
//!
//! - **psk0**: nothing is readable, and nothing is answered, without the pre-shared key of the
//!   gate ([`crate::gate`]) that let the dialer's first packet in.
//! - **Prologue**: a label and both DTLS fingerprints. Whoever sits in the middle of the DTLS
//!   connection shows each end another certificate, so the transcripts differ and the first
//!   message does not decrypt.
//! - **Static keys** are made for this one handshake. Who is there is proven afterwards by author
//!   keys over [`Established::hash`] ([`crate::proof`]), once for each shared room; a key that
//!   lives longer would let a listener recognise a dialer across rooms.
//! - **Hello** carries the range of protocol versions and feature bits. Both are part of the
//!   transcript: the newest common version and the common features can't be talked down.
//!
//! The data channel under it is already encrypted, so the handshake is for agreement: both ends keep
//! [`Established`] and go on with plain frames. Its transport keys seal only what travels beside the channel, in
//! datagrams that may be lost or overtake each other ([`DatagramCipher`]).
//!
//! Pure: the randomness is the caller's 32-byte seed, used for one handshake and never again.
//! A handshake that failed stays failed; the caller closes the link and says no more.

use std::{
    fmt,
    ops::RangeInclusive,
    sync::atomic::{AtomicU64, Ordering},
};

use minicbor::{Decode, Encode};
use peddlenet_wire::{Fingerprint, codec};
use rand_chacha::{
    ChaCha20Rng,
    rand_core::{Rng as _, SeedableRng as _},
};
use snow::{
    Builder, HandshakeState, StatelessTransportState,
    params::{CipherChoice, DHChoice, HashChoice},
    resolvers::{CryptoResolver, DefaultResolver},
    types::{Cipher, Dh, Hash, Random},
};
use zeroize::Zeroizing;

use crate::CryptoError;

/// The longest handshake message, in bytes. Ours are under 200; a newer app's hello may grow.
pub const MESSAGE_MAX: usize = 1024;

/// The Noise protocol name (Noise specification, revision 34, section 8).
const PROTOCOL: &str = "Noise_XXpsk0_25519_ChaChaPoly_SHA256";
/// What the prologue starts with.
const LABEL: &[u8] = b"pn/link/1";
/// The stream of the seed's ChaCha20 generator that gives the static key; Noise draws from later ones.
const STATIC_KEY_STREAM: u64 = 0;

/// What each end says of itself inside the handshake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hello {
    /// The link protocol versions that it speaks.
    pub versions: RangeInclusive<u8>,
    /// Optional abilities, a bit each; those that both have hold.
    pub features: u64,
}

/// What both ends know once the handshake is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Established {
    /// Hash over the whole transcript: names this very link, and is what proofs sign.
    pub hash: [u8; 32],
    /// The newest version that both speak.
    pub version: u8,
    /// The features that both have.
    pub features: u64,
}

/// What to do after a step.
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub enum Step {
    /// Send these bytes, then hand in the answer.
    Send(Vec<u8>),
    /// Send these bytes; then the link is established.
    SendAndDone(Vec<u8>, Established),
    /// The link is established.
    Done(Established),
    /// Nothing to do until the other end's message is here.
    Wait,
}

/// One end of a handshake in progress.
pub struct Handshake {
    state: State,
    hello: Hello,
}

enum State {
    /// Dialer, nothing sent yet.
    Dial(Box<HandshakeState>),
    /// Dialer, the first message is out.
    AwaitAnswer(Box<HandshakeState>),
    /// Listener, nothing came yet.
    Listen(Box<HandshakeState>),
    /// Listener, has answered; what was agreed holds once the dialer confirms.
    AwaitConfirmation(Box<HandshakeState>, u8, u64),
    /// Established; its keys have not been taken.
    Done(Box<HandshakeState>),
    /// Failed, or done and its keys taken.
    Over,
}

impl Handshake {
    /// The end that dialled. `seed` must be fresh random bytes.
    pub fn dialer(
        psk: &[u8; 32],
        dialer: Fingerprint,
        listener: Fingerprint,
        hello: Hello,
        seed: [u8; 32],
    ) -> Result<Self, CryptoError> {
        let noise = with_noise(psk, dialer, listener, seed, |b| b.build_initiator())?;
        Ok(Self {
            state: State::Dial(noise),
            hello,
        })
    }

    /// The end that was dialled. `seed` must be fresh random bytes.
    pub fn listener(
        psk: &[u8; 32],
        dialer: Fingerprint,
        listener: Fingerprint,
        hello: Hello,
        seed: [u8; 32],
    ) -> Result<Self, CryptoError> {
        let noise = with_noise(psk, dialer, listener, seed, |b| b.build_responder())?;
        Ok(Self {
            state: State::Listen(noise),
            hello,
        })
    }

    /// Goes on with the message that came in, or starts with `None`.
    ///
    /// Any error ends the handshake: every later call returns [`CryptoError::HandshakeOver`].
    pub fn step(&mut self, incoming: Option<&[u8]>) -> Result<Step, CryptoError> {
        let Some(incoming) = incoming else {
            return self.start();
        };
        // Taken out first, so that every early return below leaves the handshake over.
        let state = std::mem::replace(&mut self.state, State::Over);
        if incoming.len() > MESSAGE_MAX {
            return Err(CryptoError::HandshakeTooLong {
                len: incoming.len(),
                max: MESSAGE_MAX,
            });
        }
        match state {
            State::Listen(mut noise) => {
                let theirs = read_hello(&mut noise, incoming)?;
                let (version, features) = agree(&self.hello, &theirs)?;
                let answer = write(&mut noise, &hello_bytes(&self.hello))?;
                self.state = State::AwaitConfirmation(noise, version, features);
                Ok(Step::Send(answer))
            }
            State::AwaitAnswer(mut noise) => {
                let theirs = read_hello(&mut noise, incoming)?;
                let (version, features) = agree(&self.hello, &theirs)?;
                let confirmation = write(&mut noise, &[])?;
                let established = established(&noise, version, features)?;
                self.state = State::Done(noise);
                Ok(Step::SendAndDone(confirmation, established))
            }
            State::AwaitConfirmation(mut noise, version, features) => {
                // What a newer dialer may say here is authenticated and ignored.
                read(&mut noise, incoming)?;
                let established = established(&noise, version, features)?;
                self.state = State::Done(noise);
                Ok(Step::Done(established))
            }
            // A dialer speaks first: a message before that is none of the protocol.
            State::Dial(_) => Err(CryptoError::Handshake),
            State::Done(_) | State::Over => Err(CryptoError::HandshakeOver),
        }
    }

    /// The first message of a dialer; a listener, and a dialer that has sent, wait.
    fn start(&mut self) -> Result<Step, CryptoError> {
        match std::mem::replace(&mut self.state, State::Over) {
            State::Dial(mut noise) => {
                let first = write(&mut noise, &hello_bytes(&self.hello))?;
                self.state = State::AwaitAnswer(noise);
                Ok(Step::Send(first))
            }
            State::Done(_) | State::Over => Err(CryptoError::HandshakeOver),
            waiting => {
                self.state = waiting;
                Ok(Step::Wait)
            }
        }
    }

    /// The keys for what travels beside the channel, once the link is established.
    ///
    /// # Errors
    /// [`CryptoError::HandshakeOver`] when it is not, or when they have been taken.
    pub fn datagram_cipher(&mut self) -> Result<DatagramCipher, CryptoError> {
        match std::mem::replace(&mut self.state, State::Over) {
            State::Done(noise) => {
                let transport = noise.into_stateless_transport_mode().map_err(failed)?;
                Ok(DatagramCipher(transport))
            }
            unfinished => {
                self.state = unfinished;
                Err(CryptoError::HandshakeOver)
            }
        }
    }
}

/// Bytes that sealing adds: the tag of ChaCha20-Poly1305.
pub const DATAGRAM_TAG: usize = 16;

/// Seals datagrams between the two ends of a link, each with its number in clear beside it (Noise
/// specification, section 11.4). Whoever seals uses no number twice; whoever opens decides which numbers are too old.
pub struct DatagramCipher(StatelessTransportState);

impl DatagramCipher {
    /// Seals a datagram of `N` bytes, giving `M` = `N` + [`DATAGRAM_TAG`].
    ///
    /// # Errors
    /// `M` is another length, or the number is the last that there is.
    pub fn seal<const N: usize, const M: usize>(
        &self,
        number: u64,
        plain: &[u8; N],
    ) -> Result<[u8; M], CryptoError> {
        let mut sealed = [0; M];
        let len = self.0.write_message(number, plain, &mut sealed);
        match len {
            Ok(len) if len == M => Ok(sealed),
            _ => Err(CryptoError::Handshake),
        }
    }

    /// Opens a datagram of `M` = `N` + [`DATAGRAM_TAG`] bytes. Nothing is allocated.
    ///
    /// # Errors
    /// The other end of this link did not seal it under that number, or `N` is another length.
    pub fn open<const N: usize, const M: usize>(
        &self,
        number: u64,
        sealed: &[u8; M],
    ) -> Result<[u8; N], CryptoError> {
        let mut plain = [0; N];
        if N.checked_add(DATAGRAM_TAG) != Some(M) {
            return Err(CryptoError::Handshake);
        }
        let len = self.0.read_message(number, sealed, &mut plain);
        len.map(|_| plain).map_err(failed)
    }
}

impl fmt::Debug for DatagramCipher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DatagramCipher(..)")
    }
}

impl fmt::Debug for Handshake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.state {
            State::Dial(_) => "dial",
            State::AwaitAnswer(_) => "await answer",
            State::Listen(_) => "listen",
            State::AwaitConfirmation(..) => "await confirmation",
            State::Done(_) => "done",
            State::Over => "over",
        };
        write!(f, "Handshake({state})")
    }
}

/// [`Hello`] as it travels.
#[derive(Encode, Decode)]
#[cbor(map)]
struct HelloFields {
    #[n(0)]
    oldest: u8,
    #[n(1)]
    newest: u8,
    #[n(2)]
    features: u64,
}

fn hello_bytes(hello: &Hello) -> Vec<u8> {
    codec::to_vec(&HelloFields {
        oldest: *hello.versions.start(),
        newest: *hello.versions.end(),
        features: hello.features,
    })
}

fn read_hello(noise: &mut HandshakeState, message: &[u8]) -> Result<Hello, CryptoError> {
    let payload = read(noise, message)?;
    let hello: HelloFields = codec::from_slice("hello", &payload, MESSAGE_MAX)?;
    Ok(Hello {
        versions: hello.oldest..=hello.newest,
        features: hello.features,
    })
}

/// The newest common version and the common features. Symmetric, so both ends come to one result.
fn agree(ours: &Hello, theirs: &Hello) -> Result<(u8, u64), CryptoError> {
    let newest = *ours.versions.end().min(theirs.versions.end());
    if ours.versions.contains(&newest) && theirs.versions.contains(&newest) {
        return Ok((newest, ours.features & theirs.features));
    }
    Err(CryptoError::NoCommonVersion {
        ours_min: *ours.versions.start(),
        ours_max: *ours.versions.end(),
        theirs_min: *theirs.versions.start(),
        theirs_max: *theirs.versions.end(),
    })
}

fn established(
    noise: &HandshakeState,
    version: u8,
    features: u64,
) -> Result<Established, CryptoError> {
    let hash = noise
        .get_handshake_hash()
        .try_into()
        .map_err(|_| CryptoError::Handshake)?;
    Ok(Established {
        hash,
        version,
        features,
    })
}

fn read(noise: &mut HandshakeState, message: &[u8]) -> Result<Vec<u8>, CryptoError> {
    // A payload is shorter than the message it came in.
    let mut payload = vec![0; message.len()];
    let len = noise.read_message(message, &mut payload).map_err(failed)?;
    payload.truncate(len);
    Ok(payload)
}

fn write(noise: &mut HandshakeState, payload: &[u8]) -> Result<Vec<u8>, CryptoError> {
    let mut message = vec![0; MESSAGE_MAX];
    let len = noise.write_message(payload, &mut message).map_err(failed)?;
    message.truncate(len);
    Ok(message)
}

/// Every failure of Noise looks the same from outside: no oracle.
fn failed(_: snow::Error) -> CryptoError {
    CryptoError::Handshake
}

fn with_noise(
    psk: &[u8; 32],
    dialer: Fingerprint,
    listener: Fingerprint,
    seed: [u8; 32],
    build: impl FnOnce(Builder<'_>) -> Result<HandshakeState, snow::Error>,
) -> Result<Box<HandshakeState>, CryptoError> {
    let params = PROTOCOL.parse().map_err(failed)?;
    let prologue = [LABEL, &dialer.0, &listener.0].concat();
    let seed = Seed::new(seed);
    let mut static_key = Zeroizing::new([0; 32]);
    seed.generator(STATIC_KEY_STREAM)
        .fill_bytes(&mut *static_key);
    let builder = Builder::with_resolver(params, Box::new(seed))
        .psk(0, psk)
        .and_then(|b| b.local_private_key(&*static_key))
        .and_then(|b| b.prologue(&prologue))
        .map_err(failed)?;
    build(builder).map(Box::new).map_err(failed)
}

/// Resolves Noise's primitives to snow's own, and its randomness to the caller's seed.
struct Seed {
    seed: Zeroizing<[u8; 32]>,
    next_stream: AtomicU64,
}

impl Seed {
    fn new(seed: [u8; 32]) -> Self {
        Self {
            seed: Zeroizing::new(seed),
            next_stream: AtomicU64::new(STATIC_KEY_STREAM + 1),
        }
    }

    fn generator(&self, stream: u64) -> ChaCha20Rng {
        let mut generator = ChaCha20Rng::from_seed(*self.seed);
        generator.set_stream(stream);
        generator
    }
}

impl CryptoResolver for Seed {
    fn resolve_rng(&self) -> Option<Box<dyn Random>> {
        // A stream of its own for each request: no two generators ever repeat each other.
        let stream = self.next_stream.fetch_add(1, Ordering::Relaxed);
        Some(Box::new(Generator(self.generator(stream))))
    }

    fn resolve_dh(&self, choice: &DHChoice) -> Option<Box<dyn Dh>> {
        DefaultResolver.resolve_dh(choice)
    }

    fn resolve_hash(&self, choice: &HashChoice) -> Option<Box<dyn Hash>> {
        DefaultResolver.resolve_hash(choice)
    }

    fn resolve_cipher(&self, choice: &CipherChoice) -> Option<Box<dyn Cipher>> {
        DefaultResolver.resolve_cipher(choice)
    }
}

struct Generator(ChaCha20Rng);

impl Random for Generator {
    fn try_fill_bytes(&mut self, dest: &mut [u8]) -> Result<(), snow::Error> {
        self.0.fill_bytes(dest);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
