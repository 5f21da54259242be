//! Keys, sealing, signatures and the link handshake.
