//! Any bytes as a request frame: refused, or read, written and read again unchanged.
#![no_main]

use barnabas_wire::roundtrip;
use bytes::Bytes;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|frame: &[u8]| {
    let _outcome = roundtrip::request(&Bytes::copy_from_slice(frame));
});
