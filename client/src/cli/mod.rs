//! The `barnabas` command line.
//!
//! [`args`] is what was typed; everything that can be refused without a broker is refused there or
//! in the values' own parsers. Data goes to standard output, everything else to standard error.
//!
//! Exit codes: 0 done, 1 refused or failed, 2 usage, 3 partly done, 4 unreachable.

pub mod args;
pub mod count;
pub mod format;
pub mod start;
pub mod table;
