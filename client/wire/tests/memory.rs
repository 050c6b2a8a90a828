//! Memory that hostile frames cost. A process of its own, since the kernel counts by process.
#![expect(
    clippy::expect_used,
    reason = "a test's helper has nothing else to say"
)]

use barnabas_wire::message::{fetch, metadata};
use barnabas_wire::{ApiKey, Message, Request, Str, Wire, with_request};
use bytes::Bytes;

/// Growth that a heap makes by itself, with room to spare; believing one count takes far more.
const GROWTH_MAX_BYTES: usize = 256 << 20;

/// Largest address space that this process has had. Unit: bytes.
fn address_space_peak_bytes() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux tells");
    let words = status.lines().find_map(|line| line.strip_prefix("VmPeak:"));
    let kib = words
        .and_then(|words| words.split_whitespace().next())
        .map(str::parse::<usize>);
    kib.expect("a line VmPeak").expect("a number") * 1024
}

/// Frames full of the numbers that make decoders allocate.
fn hostile_frames() -> Vec<Bytes> {
    let patterns: [&[u8]; 7] = [
        &[0x7f, 0xff, 0xff, 0xff],
        &[0xff, 0xff, 0xff, 0xff, 0x07],
        &[0xff],
        &[0x7f],
        &[0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff],
        &[0, 1, b'a', 0x7f, 0xff, 0xff, 0xff],
        &[1, 2, b'a', 0xff, 0xff, 0xff, 0xff, 0x07],
    ];
    let mut frames = Vec::new();
    for pattern in patterns {
        let long = pattern
            .iter()
            .copied()
            .cycle()
            .take(64)
            .collect::<Vec<u8>>();
        // Behind 0 to 23 zeros, so that the number falls on every field of the front.
        for zeros in 0..24 {
            frames.push([vec![0; zeros], long.clone()].concat().into());
        }
    }
    frames
}

fn decode_all<R: Request>(frames: &[Bytes]) -> usize {
    let mut refused = 0;
    for version in R::API.row().codec.iter() {
        for frame in frames {
            refused += usize::from(R::from_bytes(frame, version).is_err());
            refused += usize::from(R::Response::from_bytes(frame, version).is_err());
        }
    }
    refused
}

fn decode_every_message(frames: &[Bytes]) -> usize {
    let refused = ApiKey::ALL
        .iter()
        .map(|api| with_request!(api, R => decode_all::<R>(frames)));
    refused.sum()
}

/// The second half is the control: the same count, believed, shows in the measure.
#[test]
fn hostile_counts_cost_no_memory() {
    let frames = hostile_frames();
    let before = address_space_peak_bytes();
    let refused = decode_every_message(&frames);
    let grown = address_space_peak_bytes() - before;
    assert!(refused > 10_000, "{refused} refused");
    assert!(grown < GROWTH_MAX_BYTES, "{grown} bytes");

    let believed = Vec::<metadata::MetadataRequestTopic>::with_capacity(10_000_000);
    let grown = address_space_peak_bytes() - before;
    assert!(
        grown > GROWTH_MAX_BYTES,
        "{grown} bytes for {}",
        believed.capacity()
    );
}

/// Parts of messages say a size that their smallest values have.
#[test]
fn no_value_is_smaller_than_its_type_says() {
    assert_eq!(<i32 as Wire>::SIZE_MIN, 4);
    assert_eq!(<Str as Wire>::SIZE_MIN, 1);
    assert_eq!(<fetch::FetchPartition as Wire>::SIZE_MIN, 4 + 8 + 4);
    assert_eq!(
        <metadata::MetadataResponsePartition as Wire>::SIZE_MIN,
        2 + 4 + 4 + 1 + 1
    );
}
