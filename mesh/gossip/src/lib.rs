//! The routing engine: inputs in, actions out.
