//! Every setting once, in one table: parsing, defaults, validation, documentation.
#![forbid(unsafe_code)]
