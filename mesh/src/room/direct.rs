//! Direct messages of one room: sealing and opening them with this device's key.

use peddlenet_crypto::{
    Draft, direct_receipt, direct_stream, open_direct, open_parcel, seal_direct, seal_parcel,
};
use peddlenet_wire::{
    AuthorId, Capped, EventHash, Seq, SignedEvent, Timestamp,
    content::Content,
    direct::{Arrived, Direct, DirectReceipt, Parcel},
    ids::Digest,
};
use zeroize::Zeroizing;

use super::{Room, RoomError};
use crate::entropy;

impl Room {
    /// Signs and seals this device's next message to one member.
    pub(crate) fn seal_direct(
        &mut self,
        to: AuthorId,
        content: Content,
        membership: Digest,
        now: Timestamp,
    ) -> Result<SignedEvent, RoomError> {
        let stream = direct_stream(self.tag, self.me(), to);
        let (seq, previous) = match self.own.get(&stream) {
            Some((seq, hash)) => (seq.next().ok_or(RoomError::LogFull)?, *hash),
            None => (Seq::FIRST, EventHash::ZERO),
        };
        let clock = self.clock.tick(now);
        let draft = Draft {
            room: self.tag,
            stream,
            seq,
            previous,
            clock,
            parents: Capped::default(),
            membership,
        };
        let plaintext = Zeroizing::new(Direct { to, content }.to_bytes());
        let epoch = self.newest_epoch()?.id();
        let event = seal_direct(&draft, &self.key, to, epoch, entropy::bytes(), &plaintext)?;
        self.clock = clock;
        self.own.insert(stream, (seq, event.hash()));
        Ok(event)
    }

    /// The other of the two and what is said, where this device is one of them and the event stands in
    /// their log.
    pub(crate) fn open_direct(&self, event: &SignedEvent) -> Option<(AuthorId, Content)> {
        let header = event.header();
        let opened = open_direct(event, &self.key).ok()?;
        let Direct { to, content } = Direct::from_bytes(&opened).ok()?;
        let (author, me) = (header.author, self.me());
        let other = match (author == me, to == me) {
            (true, false) => to,
            (false, true) => author,
            _ => return None,
        };
        let meant = header.room == self.tag && header.stream == direct_stream(self.tag, author, to);
        meant.then_some((other, content))
    }

    pub(crate) fn direct_receipt(&self, event: EventHash, state: Arrived) -> Parcel {
        Parcel::Receipt(DirectReceipt {
            event,
            state,
            signature: direct_receipt(&self.key, self.tag, event, state),
        })
    }

    pub(crate) fn seal_parcel(&self, to: AuthorId, parcel: &Parcel) -> Result<Vec<u8>, RoomError> {
        let bytes = Zeroizing::new(parcel.to_bytes());
        let sealed = seal_parcel(self.tag, self.me(), to, entropy::bytes(), &bytes)?;
        Ok(sealed)
    }

    pub(crate) fn open_parcel(&self, from: AuthorId, parcel: &[u8]) -> Option<Parcel> {
        let opened = open_parcel(self.tag, from, &self.key, parcel).ok()?;
        Parcel::from_bytes(&opened).ok()
    }
}
