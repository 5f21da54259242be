//! Rendezvous for meshes that have some internet; sees opaque bytes only.
