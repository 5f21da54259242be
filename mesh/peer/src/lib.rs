//! WebRTC links over one UDP port.
