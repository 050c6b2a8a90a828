//! What each kind of wrong byte is called.

use super::*;
use crate::{Message, Uuid, message};

fn read<T: Wire>(bytes: &'static [u8], coding: Coding) -> Result<T, DecodeError> {
    T::read(&mut Source::new(&Bytes::from_static(bytes)), coding)
}

#[track_caller]
fn check<T: Wire + PartialEq + std::fmt::Debug>(
    bytes: &'static [u8],
    coding: Coding,
    expected: Result<T, DecodeError>,
) {
    assert_eq!([read(bytes, coding)], [expected]);
}

const CLASSIC: Coding = Coding::classic(0);
const FLEXIBLE: Coding = Coding::flexible(0);

#[test]
fn numbers_are_big_endian() {
    check(&[1, 2], CLASSIC, Ok(0x0102_i16));
    check(&[0xff, 0xff, 0xff, 0xfe], CLASSIC, Ok(-2_i32));
    check(&[7; 16], CLASSIC, Ok(Uuid([7; 16])));
    check(&[5], CLASSIC, Ok(true));
    let short = DecodeError::Truncated {
        position: 0,
        needed: 8,
        left: 7,
    };
    check::<i64>(&[0; 7], CLASSIC, Err(short));
}

#[test]
fn texts_say_their_length_in_two_bytes_or_in_a_varint() {
    check(&[0, 2, b'h', b'i'], CLASSIC, Ok(Str::from("hi")));
    check(&[3, b'h', b'i'], FLEXIBLE, Ok(Str::from("hi")));
    check(&[0xff, 0xff], CLASSIC, Ok(None::<Str>));
    check(&[0], FLEXIBLE, Ok(None::<Str>));
    check::<Str>(
        &[0xff, 0xff],
        CLASSIC,
        Err(DecodeError::UnexpectedNull { position: 2 }),
    );
    let negative = DecodeError::NegativeLength {
        position: 0,
        length: -2,
    };
    check::<Str>(&[0xff, 0xfe], CLASSIC, Err(negative));
    let beyond = DecodeError::Truncated {
        position: 2,
        needed: 3,
        left: 2,
    };
    check::<Str>(&[0, 3, b'h', b'i'], CLASSIC, Err(beyond));
    check::<Str>(
        &[0, 1, 0xff],
        CLASSIC,
        Err(DecodeError::NotUtf8 { position: 2 }),
    );
    let long = DecodeError::TextTooLong {
        position: 0,
        length: 32_768,
    };
    check::<Str>(&[0x81, 0x80, 2], FLEXIBLE, Err(long));
}

#[test]
fn varints_end_after_five_bytes_and_fit_thirty_two_bits() {
    let varint = |bytes: &'static [u8]| Source::new(&Bytes::from_static(bytes)).read_uvarint();
    assert_eq!(varint(&[0x7f]), Ok(127));
    assert_eq!(varint(&[0x80, 1]), Ok(128));
    assert_eq!(varint(&[0xff, 0xff, 0xff, 0xff, 0x0f]), Ok(u32::MAX));
    let long = Err(DecodeError::VarintTooLong { position: 0 });
    assert_eq!(varint(&[0xff, 0xff, 0xff, 0xff, 0x1f]), long);
    assert_eq!(varint(&[0x80, 0x80, 0x80, 0x80, 0x80, 0]), long);
    let varlong = |bytes: &'static [u8]| Source::new(&Bytes::from_static(bytes)).read_uvarlong();
    let ones = &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1];
    assert_eq!(varlong(ones), Ok(u64::MAX));
    assert_eq!(
        varlong(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2]),
        long.map(u64::from)
    );
}

/// A count that the rest of the frame cannot hold is refused before room is made for it: at four
/// bytes an element, seven bytes hold one.
#[test]
fn a_count_is_held_against_the_bytes_that_are_left() {
    check(&[0, 0, 0, 1, 0, 0, 0, 9, 1, 1, 1], CLASSIC, Ok(vec![9_i32]));
    let two = DecodeError::CountTooLarge {
        position: 4,
        count: 2,
        left: 7,
    };
    check::<Vec<i32>>(&[0, 0, 0, 2, 0, 0, 0, 9, 1, 1, 1], CLASSIC, Err(two));
    let most = DecodeError::CountTooLarge {
        position: 4,
        count: 0x7fff_ffff,
        left: 1,
    };
    check::<Vec<i32>>(&[0x7f, 0xff, 0xff, 0xff, 0], CLASSIC, Err(most));
    let negative = DecodeError::NegativeLength {
        position: 0,
        length: i32::MIN,
    };
    check::<Vec<i32>>(&[0x80, 0, 0, 0], CLASSIC, Err(negative));
}

#[test]
fn lists_of_tiny_elements_are_bounded_by_the_size_of_the_frame() {
    // Every element is a byte on the wire and a text in memory.
    let names = |count: u32| {
        let mut sink = crate::Sink::new();
        sink.write_uvarint(count + 1);
        sink.write_slice(&vec![1; count as usize]);
        let frame = sink.finish().unwrap().into_bytes().unwrap();
        Vec::<Str>::read(&mut Source::new(&frame), FLEXIBLE).map(|list| list.len())
    };
    assert_eq!(names(50_000), Ok(50_000));
    let refused = names(1_000_000);
    assert!(
        matches!(refused, Err(DecodeError::MemoryExceeded { .. })),
        "{refused:?}"
    );
}

#[test]
fn the_densest_honest_request_is_within_the_bound() {
    let topic = message::metadata::MetadataRequestTopic {
        name: Some("a".into()),
        ..Default::default()
    };
    let request = message::MetadataRequest {
        topics: Some(vec![topic; 1_000_000]),
        ..Default::default()
    };
    let frame = request.to_pieces(9).unwrap().into_bytes().unwrap();
    assert_eq!(message::MetadataRequest::from_bytes(&frame, 9), Ok(request));
}

#[test]
fn a_tagged_field_cannot_be_read_beyond_its_end() {
    let bytes = Bytes::from_static(&[5, 2, 1, 2, 3, 4]);
    let mut source = Source::new(&bytes);
    let (tag, scope) = source.enter_tag().unwrap();
    let beyond = DecodeError::Truncated {
        position: 2,
        needed: 4,
        left: 2,
    };
    assert_eq!((tag, source.read_array::<4>()), (5, Err(beyond)));
    source.leave_tag(&scope);
    assert_eq!(source.read_array(), Ok([3, 4]));
}

#[test]
fn unknown_tagged_fields_are_stepped_over() {
    let request = message::ControlledShutdownRequest {
        broker_id: 1,
        broker_epoch: 2,
    };
    let mut frame = request.to_pieces(3).unwrap().into_bytes().unwrap().to_vec();
    frame.pop();
    frame.extend([2, 0, 1, 9, 77, 3, 1, 2, 3]);
    let read = message::ControlledShutdownRequest::from_bytes(&frame.clone().into(), 3);
    assert_eq!(read, Ok(request));
    frame.pop();
    let read = message::ControlledShutdownRequest::from_bytes(&frame.into(), 3);
    assert!(
        matches!(read, Err(DecodeError::Truncated { .. })),
        "{read:?}"
    );
}

#[test]
fn decoded_texts_and_records_are_slices_of_the_frame() {
    let frame = Bytes::from_static(&[0, 2, b'h', b'i']);
    let text = Str::read(&mut Source::new(&frame), CLASSIC).unwrap();
    assert_eq!(text.as_ptr(), frame[2..].as_ptr());
    assert_ne!(text.detach().as_ptr(), text.as_ptr());
    assert_eq!(text.detach(), text);
    let frame = Bytes::from_static(&[0, 0, 0, 2, 8, 9]);
    let bytes = Bytes::read(&mut Source::new(&frame), CLASSIC).unwrap();
    assert_eq!(bytes.as_ptr(), frame[4..].as_ptr());
}

#[test]
fn a_version_that_the_codec_does_not_know_is_refused_both_ways() {
    let api = crate::ApiKey::Fetch;
    let read = message::FetchRequest::from_bytes(&Bytes::new(), 18);
    assert_eq!(
        read,
        Err(DecodeError::UnsupportedVersion {
            api,
            api_version: 18
        })
    );
    let written = message::FetchRequest::default().to_pieces(-1);
    let expected = crate::EncodeError::UnsupportedVersion {
        api,
        api_version: -1,
    };
    assert_eq!(written, Err(expected));
}
