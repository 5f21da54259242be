//! Draws and decodes QR codes.
