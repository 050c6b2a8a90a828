//! Harness and the tests that need more than one crate: conformance, clusters, interop.
#![forbid(unsafe_code)]
