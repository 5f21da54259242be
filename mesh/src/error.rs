//! What a person or a script is told when something did not work.
//!
//! One shape for every failure: a stable code for programs and one plain sentence with a next step
//! for people. Nothing in a sentence names a protocol.

use std::{fmt, time::Duration};

use peddlenet_peer::{DialError, PeerError};
use peddlenet_store::StoreError;
use peddlenet_wire::{invite::InviteError, join::Refuse};

/// A failure, ready to show.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// For programs; stable.
    pub code: ErrorCode,
    /// For people: what happened and what to do next.
    pub message: String,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $Variant:ident = $text:literal => $sentence:literal;)*) => {
        /// The stable name of a failure. The full list stands in mesh/node/README.md.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum ErrorCode {
            $($(#[$doc])* $Variant,)*
        }

        impl ErrorCode {
            /// Every code, for documentation and tests.
            pub const ALL: &[Self] = &[$(Self::$Variant,)*];

            /// The name as it stands in replies.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$Variant => $text,)*
                }
            }

            const fn sentence(self) -> &'static str {
                match self {
                    $(Self::$Variant => $sentence,)*
                }
            }
        }
    };
}

codes! {
    /// The request is not one this version understands.
    BadRequest = "bad_request" => "That request doesn't make sense here. Check its fields.";
    /// The command belongs to a later version.
    NotYet = "not_yet" => "This version can't do that yet.";
    /// The scanned text is something else.
    NotACode = "not_a_code" => "That is not a PeddleNet code. Ask your friend to open “Show my code”.";
    /// The code is cut off or garbled.
    CodeDamaged = "code_damaged" => "That code is incomplete. Scan it again, or copy the whole link.";
    /// The code has a newer format.
    CodeNewer = "code_newer" => "That code was made by a newer app. Update this one, then scan again.";
    /// What was given as a carrier box's pass is something else.
    NotAPass = "not_a_pass" => "That is not a pass of a box. Ask whoever runs the box for one; it begins with PEDDLENET:C/.";
    /// The last day of a carrier box's pass is over.
    PassOver = "pass_over" => "That pass has ended. Ask whoever runs the box for a new one.";
    /// The invite is over.
    InviteExpired = "invite_expired" => "This invite has ended. Ask for a new code.";
    /// The invite let in as many as it allowed.
    InviteUsedUp = "invite_used_up" => "This invite has been used up. Ask for a new code.";
    /// A member closed the invite.
    InviteRevoked = "invite_revoked" => "This invite was closed. Ask for a new code.";
    /// The device that answers knows no such invite.
    InviteUnknown = "invite_unknown" => "The other device doesn't know this code. Ask for a new one.";
    /// Nobody answered in time.
    NoAnswer = "no_answer" => "Nobody answered. Are both devices on the same Wi-Fi, and is your friend's app open? Some guest networks keep devices apart: make a hotspot and scan again.";
    /// A code without addresses, and nobody of its room was found.
    NobodyNear = "nobody_near" => "Nobody of that room is near. A printed code needs somebody of the room on the same Wi-Fi; or ask a friend to show their code on the screen.";
    /// The code's device is on this network, by its address, and doesn't answer.
    NetworksApart = "networks_apart" => "The other device is on this Wi-Fi, and nothing gets through to it. Is their app open? If it is, this Wi-Fi keeps devices apart: make a hotspot on one phone and join it with the others.";
    /// The code's device is on none of the networks that this one is on.
    OtherNetwork = "other_network" => "The other device is on another network. Join the same Wi-Fi, or their hotspot, and scan again.";
    /// Somebody answered who is not who the code says, or can't prove to belong to the room.
    WrongHost = "wrong_host" => "The device that answered isn't the one in this code. Ask your friend for a new code.";
    /// The code is this device's own.
    OwnCode = "own_code" => "That is your own code. Let a friend scan it.";
    /// This device has no address that others can reach.
    NoNetwork = "no_network" => "This device is on no network. Join a Wi-Fi or make a hotspot, then try again.";
    /// The person cancelled.
    Cancelled = "cancelled" => "Joining was cancelled. Scan again whenever you like.";
    /// Nobody in the room has this key.
    MemberUnknown = "member_unknown" => "That person isn't in this room. Look at its list of people again.";
    /// Somebody else wrote that message.
    NotYours = "not_yours" => "Somebody else wrote that message. Only they can change it.";
    /// It takes another role than this device has.
    NotAllowed = "not_allowed" => "You can't do that in this room. Ask somebody who moderates it.";
    /// This device no longer belongs to the room.
    Removed = "removed" => "You were removed from this room. You keep what you have of it; to come back, ask for a new code.";
    /// The room is closed to joiners.
    RoomClosed = "room_closed" => "This room is closed to new people at present. Ask whoever moderates it to open it.";
    /// The room takes no more members.
    RoomFull = "room_full" => "This room is full. Ask for a code to another room.";
    /// No such room on this device.
    RoomUnknown = "room_unknown" => "That room isn't on this device. Join it first.";
    /// No such message in the room.
    MessageUnknown = "message_unknown" => "That message isn't on this device yet.";
    /// A private message to oneself.
    Yourself = "yourself" => "That is you. Choose somebody else to write to.";
    /// As many private messages of a room wait for their recipients as may.
    OutboxFull = "outbox_full" => "Too many private messages in this room are still on their way. Wait until some have arrived.";
    /// A verified person's name under another key.
    KeyChanged = "key_changed" => "This isn't the key that you verified under that name. Compare the numbers with them first, then confirm the new key.";
    /// A scanned code that doesn't fit what this device knows of the person.
    VerifyMismatch = "verify_mismatch" => "The codes don't match: somebody may stand between you two. Check that both of you have this room open, then compare the numbers; trust nothing here until they are the same.";
    /// This device signed two histories.
    OwnFork = "own_fork" => "This device was restored from an older copy and spoke twice in this room, so the others take nothing new from it. Ask for a new key in this room, and a moderator to confirm it; or leave the room and join it again with a new code.";
    /// No such invite in the room.
    InviteNotFound = "invite_not_found" => "That invite isn't open. Make a new one.";
    /// The device is in as many rooms as it may.
    TooManyRooms = "too_many_rooms" => "This device is in too many rooms. Leave one first.";
    /// The device has as many open invites as it may.
    TooManyInvites = "too_many_invites" => "Too many invites are open. Close one, or wait until one ends.";
    /// Nothing but white space.
    TextEmpty = "text_empty" => "There is nothing to send. Write something first.";
    /// Longer than a message may be.
    TextTooLong = "text_too_long" => "That message is too long. Send it in parts.";
    /// The member's share of everybody's disk is used up.
    SaidTooMuch = "said_too_much" => "You have said as much in this room as one person can in a day. Go on tomorrow.";
    /// The person's settings are as many, or as long, as may be kept.
    SettingTooLong = "setting_too_long" => "That is more than a setting can hold.";
    /// The setting that names a rendezvous server says something else.
    ServerAddress = "server_address" => "A server's address looks like wss://example.org. Check it, or leave it empty to use none.";
    /// A name with nothing in it.
    NameEmpty = "name_empty" => "A name needs at least one letter.";
    /// Another process has the profile open.
    ProfileInUse = "profile_in_use" => "PeddleNet is already open with this profile. Use that window, or start with another --profile.";
    /// The data folder was written by a newer version.
    StoreNewer = "store_newer" => "This data was written by a newer app. Update this one to open it.";
    /// The disk said no.
    StoreFailed = "store_failed" => "Saving didn't work. Check that the disk has room, then start the app again.";
    /// The key that this data is sealed with isn't where it was.
    KeyMissing = "key_missing" => "This data is sealed, and its key isn't here. Put the key file back, or say where it is.";
    /// The key is another one than the data is sealed with.
    KeyWrong = "key_wrong" => "This data was sealed with another key. Start with the key file or passphrase that belongs to it.";
    /// The key file is damaged, newer, or in the wrong place.
    KeyFileBad = "key_file_bad" => "The key file can't be used. Put back a good copy of it.";
    /// The key opens with a passphrase, and none was given.
    PassphraseNeeded = "passphrase_needed" => "This data opens with a passphrase. Start again and give it.";
    /// Not the passphrase.
    PassphraseWrong = "passphrase_wrong" => "That is not the passphrase of this data. Start again with the right one.";
    /// Something else than this program wrote to the data folder.
    StoreAltered = "store_altered" => "The data on this device was changed by something else than this app. Put back a backup of it, or start with another --profile and join your rooms again.";
    /// The network said no.
    NetworkFailed = "network_failed" => "The network port couldn't be opened. Close other copies of the app, or choose another port.";
    /// The node was closed.
    Closed = "closed" => "The app is closing.";
    /// A defect of ours.
    Internal = "internal" => "Something went wrong inside the app. Try again; restart it if that doesn't help.";
}

impl ErrorCode {
    /// Whether a join that failed so may work a moment later.
    pub(crate) const fn may_pass(self) -> bool {
        matches!(
            self,
            Self::NoAnswer | Self::NetworksApart | Self::OtherNetwork | Self::NobodyNear
        )
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Error {
    /// A failure with a sentence of its own.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
        }
    }

    pub(crate) fn refused(refuse: &Refuse) -> Self {
        match refuse.code {
            Refuse::EXPIRED => Self::new(
                ErrorCode::InviteExpired,
                format!(
                    "This invite ended {}. Ask for a new code.",
                    ago(Duration::from_millis(refuse.detail))
                ),
            ),
            Refuse::USED_UP => ErrorCode::InviteUsedUp.into(),
            Refuse::REVOKED => ErrorCode::InviteRevoked.into(),
            Refuse::FULL => ErrorCode::RoomFull.into(),
            Refuse::CLOSED => ErrorCode::RoomClosed.into(),
            // Our request was sound as we sent it: somebody in between passed it on.
            Refuse::BAD_REQUEST => ErrorCode::WrongHost.into(),
            _ => ErrorCode::InviteUnknown.into(),
        }
    }
}

/// A span as people say it.
fn ago(span: Duration) -> String {
    let of = |n: u64, unit: &str| format!("{n} {unit}{} ago", if n == 1 { "" } else { "s" });
    match span.as_secs() {
        0..60 => "just now".to_owned(),
        s @ 60..3_600 => of(s / 60, "minute"),
        s @ 3_600..86_400 => of(s / 3_600, "hour"),
        s => of(s / 86_400, "day"),
    }
}

impl From<ErrorCode> for Error {
    fn from(code: ErrorCode) -> Self {
        Self::new(code, code.sentence())
    }
}

impl From<InviteError> for Error {
    fn from(e: InviteError) -> Self {
        match e {
            InviteError::NotOurs => ErrorCode::NotACode.into(),
            InviteError::Newer(_) => ErrorCode::CodeNewer.into(),
            _ => ErrorCode::CodeDamaged.into(),
        }
    }
}

impl From<StoreError> for Error {
    fn from(e: StoreError) -> Self {
        let code = match e {
            StoreError::InUse => ErrorCode::ProfileInUse,
            StoreError::NewerSchema { .. } => ErrorCode::StoreNewer,
            StoreError::WrongKey => ErrorCode::KeyWrong,
            StoreError::KeyNeeded => ErrorCode::KeyMissing,
            StoreError::Altered { .. } => ErrorCode::StoreAltered,
            _ => ErrorCode::StoreFailed,
        };
        tracing::error!(error = %e, "store");
        code.into()
    }
}

impl From<DialError> for Error {
    fn from(e: DialError) -> Self {
        match e {
            DialError::Peer(e) => e.into(),
            e => code_of(&e).into(),
        }
    }
}

/// Why a dial failed, as a code.
pub(crate) fn code_of(e: &DialError) -> ErrorCode {
    match e {
        DialError::WrongFingerprint => ErrorCode::WrongHost,
        DialError::Refused | DialError::Handshake => ErrorCode::InviteUnknown,
        DialError::NoAddress => ErrorCode::NoNetwork,
        DialError::Itself => ErrorCode::OwnCode,
        DialError::Peer(_) => ErrorCode::NetworkFailed,
        _ => ErrorCode::NoAnswer,
    }
}

impl From<PeerError> for Error {
    fn from(e: PeerError) -> Self {
        tracing::error!(error = %e, "network");
        ErrorCode::NetworkFailed.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_a_name_of_its_own_and_a_sentence() {
        let names: std::collections::BTreeSet<_> =
            ErrorCode::ALL.iter().map(|c| c.as_str()).collect();
        assert_eq!(names.len(), ErrorCode::ALL.len());
        for code in ErrorCode::ALL {
            let sentence = Error::from(*code).message;
            assert!(
                sentence.ends_with('.') && sentence.len() > 15,
                "{code}: {sentence}"
            );
        }
    }

    #[test]
    fn an_ended_invite_says_since_when() {
        let refuse = Refuse {
            code: Refuse::EXPIRED,
            detail: 185_000,
        };
        assert_eq!(
            Error::refused(&refuse).message,
            "This invite ended 3 minutes ago. Ask for a new code."
        );
    }
}
