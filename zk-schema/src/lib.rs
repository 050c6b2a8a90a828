//! What is in ZooKeeper: paths, JSON, operations as data. No I/O.
#![forbid(unsafe_code)]
