//! Harness and the tests that need more than one crate: conformance, clusters, interop.
//!
//! The harness starts real servers and stands between them: [`zookeeper`] for ZooKeeper servers,
//! [`process`] for any child, [`proxy`] for a network that can be cut. It panics with a sentence
//! where it cannot do what was asked, because a test without its servers has nothing to say.
#![forbid(unsafe_code)]

pub mod cluster;
pub mod liveness;
pub mod process;
pub mod proxy;
pub mod zookeeper;
