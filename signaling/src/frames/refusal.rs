//! The refusals.

/// Why a request is not granted. The connection stays, unless the README says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("this is not a request of this protocol; see the README of peddlenet-signaling")]
    Malformed,
    #[error("this server speaks version 1")]
    UnsupportedVersion,
    #[error("the message is too large")]
    TooLarge,
    #[error("join the tag before sending to it")]
    NotJoined,
    #[error("this connection holds as many tags as it may; leave one first")]
    TooManyTags,
    #[error("as many devices as may are on this tag already")]
    TagFull,
    #[error("too many messages; slow down")]
    RateLimited,
    #[error("messages wait for too long; this connection ends")]
    TooSlow,
    #[error("the server is full; try again later or another one")]
    ServerFull,
    #[error(
        "as many devices as may are connected from this network; try again later or another server"
    )]
    AddressFull,
    #[error("this server keeps no parcels")]
    NoBackup,
    #[error(
        "no space is left for this tag, under this pass or in all; it comes back as parcels expire"
    )]
    Quota,
    #[error("the tag is not this key's, or the signature is not over this parcel")]
    BadSignature,
    #[error("the pass is not this box's, not for today, or not by who holds it")]
    BadPass,
    #[error("this server is no carrier box")]
    NoBox,
}

impl Refusal {
    /// The stable name that clients act upon.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::UnsupportedVersion => "unsupported_version",
            Self::TooLarge => "too_large",
            Self::NotJoined => "not_joined",
            Self::TooManyTags => "too_many_tags",
            Self::TagFull => "tag_full",
            Self::RateLimited => "rate_limited",
            Self::TooSlow => "too_slow",
            Self::ServerFull => "server_full",
            Self::AddressFull => "address_full",
            Self::NoBackup => "no_backup",
            Self::Quota => "quota",
            Self::BadSignature => "bad_signature",
            Self::BadPass => "bad_pass",
            Self::NoBox => "no_box",
        }
    }
}
