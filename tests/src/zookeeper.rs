//! ZooKeeper servers for tests.
//!
//! Where they come from is said by `TEST_ZOOKEEPER`:
//! | value | server |
//! |---|---|
//! | `host:port` | that one; each test works below a path of its own and removes it |
//! | `docker` | a container of `zookeeper:3.8` (or `TEST_ZOOKEEPER_IMAGE`), through testcontainers |
//! | `local` | a `java` process with Debian's jars, or those of `ZOOKEEPER_HOME` |
//! | unset | Docker if its daemon answers and has the image, else local, else a panic that says what to install |
//!
//! [`ZooKeeper::shared`] is for tests that only write znodes: one server for the test binary, a
//! [`Chroot`] for each test. [`ZooKeeper::start`] is for tests that stop or pause their server.

mod chroot;
mod container;
mod ensemble;
mod four_letter;
mod local;
mod server;
mod source;
mod znodes;

pub use chroot::Chroot;
pub use ensemble::Ensemble;
pub use four_letter::four_letter;
pub use local::LocalServer;
pub use server::ZooKeeper;
pub use source::Source;
pub use znodes::Znodes;
