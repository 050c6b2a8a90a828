//! The `barnabas-broker` binary.
#![forbid(unsafe_code)]

fn main() {}
