//! Children of a test: started with their output in a file, signalled and ended by process id, and
//! ended with the test binary however that ends.

mod child;
mod guard;
mod port;

pub use child::{Process, Signal};
pub use port::{free_port, steady_port};

pub(crate) use guard::remove_at_exit;
#[cfg(feature = "docker")]
pub(crate) use guard::remove_container_at_exit;
