//! Counters of one process, for `stats` and Diagnostics. They count; they never name anybody.

/// What happened since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// Links that came up.
    pub links_up: u64,
    /// Links that went down.
    pub links_down: u64,
    /// Members that this device tried to link up with.
    pub dials: u64,
    /// Offers and answers sent to members over those between.
    pub meetings: u64,
    /// Joiners let in.
    pub joins_admitted: u64,
    /// Joiners sent away.
    pub joins_refused: u64,
    /// Epochs that this device began.
    pub epochs_begun: u64,
    /// Frames read.
    pub frames_in: u64,
    /// Frames handed to a link.
    pub frames_out: u64,
    /// Frames that a full or closed link did not take; sync makes up for them.
    pub frames_dropped: u64,
    /// Signatures checked.
    pub verified: u64,
    /// Own direct messages that wait, here and with neighbours, for a member who is away.
    pub direct_kept: u64,
    /// Direct messages taken in.
    pub direct_taken: u64,
    /// Of those, how many came without the one before them.
    pub direct_gaps: u64,
    /// Parcels that were forged, damaged, or not meant for this device.
    pub direct_refused: u64,
}
