//! Single acts.
