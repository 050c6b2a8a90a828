//! Any bytes as a response body: the first chooses the API, the second the version.
#![no_main]

use barnabas_wire::{ApiKey, roundtrip};
use bytes::Bytes;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let [choice, version, body @ ..] = input else {
        return;
    };
    let api = ApiKey::ALL[usize::from(*choice) % ApiKey::ALL.len()];
    let _outcome = roundtrip::response(api, i16::from(*version), &Bytes::copy_from_slice(body));
});
