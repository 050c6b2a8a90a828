//! The derive macro behind the Kafka message structs.
//!
//! A message is a plain struct with Kafka's field names. What changes between versions stands
//! beside the field; the macro writes the code that puts it on bytes and takes it off again.
#![forbid(unsafe_code)]

mod attribute;
mod expand;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

/// Implements `barnabas_wire::Wire` and `Default` (and, for whole messages, `Message` and
/// `Request`) for a struct with named fields.
///
/// On the struct:
/// - `#[wire(request(Produce))]`: the request of this row of the API table. The response is the
///   struct `ProduceResponse` of the same module.
/// - `#[wire(response(Produce))]`: the response of this row.
/// - neither: a part of a message; it is coded at the version of the whole.
///
/// On a field (ranges are of API versions; `3..` has no upper end):
/// - `versions = 3..` or `2..=4`: where the field exists; every version if absent.
/// - `nullable = 1..`: where an `Option` may be null; wherever the field exists if absent.
/// - `default = -1`: the value at versions without the field, and of `Default`.
/// - `ignorable`: a value that the version cannot carry is dropped; without it, encoding fails.
/// - `tag = 0`: a tagged field (KIP-482), written only when it differs from its default.
///
/// Fields are coded in the order in which they stand. With feature or test configuration
/// `generate`, an implementation of `barnabas_wire::generate::Generate` comes along.
#[proc_macro_derive(Wire, attributes(wire))]
pub fn derive_wire(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    expand::expand(&input)
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}
