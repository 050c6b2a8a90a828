//! A record as a line of JSON.
//!
//! `{"topic":..,"partition":..,"offset":..,"timestamp":..,"key":..,"value":..,"headers":[..]}`,
//! where null is null. Bytes that are not UTF-8 stand in base64, and say so beside it:
//! `"valueEncoding":"base64"`.

use std::io::{self, Write};

use barnabas_client::{Message, MessageHeader};

use super::base64;

/// Appends the line.
///
/// # Errors
/// None: memory takes whatever is written to it.
pub(crate) fn write(out: &mut Vec<u8>, message: &Message) -> io::Result<()> {
    out.write_all(b"{\"topic\":")?;
    text(out, message.partition.topic.as_str())?;
    let (partition, offset) = (message.partition.partition.0, message.offset);
    write!(out, ",\"partition\":{partition},\"offset\":{offset}")?;
    write!(out, ",\"timestamp\":{}", message.timestamp_ms)?;
    bytes(out, "key", message.key.as_deref())?;
    bytes(out, "value", message.value.as_deref())?;
    out.write_all(b",\"headers\":[")?;
    for (index, header) in message.headers.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write_header(out, header)?;
    }
    out.write_all(b"]}\n")
}

fn write_header(out: &mut Vec<u8>, header: &MessageHeader) -> io::Result<()> {
    out.write_all(b"{\"key\":")?;
    text(out, &String::from_utf8_lossy(&header.name))?;
    bytes(out, "value", header.value.as_deref())?;
    out.write_all(b"}")
}

/// `,"name":..`, and how it is encoded where it had to be.
fn bytes(out: &mut Vec<u8>, name: &str, bytes: Option<&[u8]>) -> io::Result<()> {
    write!(out, ",\"{name}\":")?;
    match bytes.map(|bytes| (bytes, std::str::from_utf8(bytes))) {
        None => out.write_all(b"null"),
        Some((_, Ok(readable))) => text(out, readable),
        Some((bytes, Err(_))) => {
            text(out, &base64::encode(bytes))?;
            write!(out, ",\"{name}Encoding\":\"base64\"")
        }
    }
}

fn text(out: &mut Vec<u8>, text: &str) -> io::Result<()> {
    Ok(serde_json::to_writer(out, text)?)
}

#[cfg(test)]
mod tests {
    use barnabas_client::{LeaderEpoch, PartitionId, TopicPartition};
    use expect_test::{Expect, expect};

    use super::*;

    #[track_caller]
    fn check(key: Option<&'static [u8]>, value: Option<&'static [u8]>, expected: &Expect) {
        let header = |name: &'static str, value: Option<&'static [u8]>| MessageHeader {
            name: name.as_bytes().into(),
            value: value.map(Into::into),
        };
        let message = Message {
            partition: TopicPartition::new("orders", PartitionId(3)),
            offset: 42,
            leader_epoch: LeaderEpoch(0),
            timestamp_ms: 1_700_000_000_000,
            key: key.map(Into::into),
            value: value.map(Into::into),
            headers: vec![header("trace", Some(b"1")), header("none", None)],
        };
        let mut line = Vec::new();
        write(&mut line, &message).unwrap();
        let line = String::from_utf8(line).unwrap();
        let document: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(document["headers"][1]["value"], serde_json::Value::Null);
        expected.assert_eq(&line);
    }

    #[test]
    fn a_record_is_one_line() {
        check(
            Some(b"k"),
            Some(b"a \"quoted\"\nline"),
            &expect![[r#"
            {"topic":"orders","partition":3,"offset":42,"timestamp":1700000000000,"key":"k","value":"a \"quoted\"\nline","headers":[{"key":"trace","value":"1"},{"key":"none","value":null}]}
        "#]],
        );
    }

    #[test]
    fn null_is_null_and_bytes_say_how_they_are_encoded() {
        check(
            None,
            Some(b"\xff\xfe"),
            &expect![[r#"
            {"topic":"orders","partition":3,"offset":42,"timestamp":1700000000000,"key":null,"value":"//4=","valueEncoding":"base64","headers":[{"key":"trace","value":"1"},{"key":"none","value":null}]}
        "#]],
        );
    }
}
