//! The one adapter that talks to ZooKeeper: a session actor on its own thread.
#![forbid(unsafe_code)]
