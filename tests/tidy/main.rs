//! Rules of the house that a compiler does not check. A rule that is not executed is a wish.

#![forbid(unsafe_code)]

mod dependency;
mod seed;
mod source;
mod tree;
