//! Bytes and typed values: ids, invites, events, link frames, limits.
