//! How a consumed record is printed: a text with `%` fields.

use std::io::{self, Write};
use std::str::FromStr;

use barnabas_client::Message;

/// One piece of a [`Format`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// Printed as it is.
    Text(String),
    /// `%v`
    Value,
    /// `%k`
    Key,
    /// `%h`: `key=value` pairs separated by commas.
    Headers,
    /// `%t`
    Topic,
    /// `%p`
    Partition,
    /// `%o`
    Offset,
    /// `%T`: ms since the Unix epoch.
    Timestamp,
}

/// The pieces in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Format(pub(crate) Vec<Piece>);

impl Format {
    /// Appends a record. Null is printed as nothing.
    ///
    /// # Errors
    /// None: memory takes whatever is written to it.
    pub(crate) fn write(&self, out: &mut Vec<u8>, message: &Message) -> io::Result<()> {
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => out.extend_from_slice(text.as_bytes()),
                Piece::Value => out.extend_from_slice(message.value.as_deref().unwrap_or_default()),
                Piece::Key => out.extend_from_slice(message.key.as_deref().unwrap_or_default()),
                Piece::Headers => write_headers(out, message),
                Piece::Topic => out.extend_from_slice(message.partition.topic.as_str().as_bytes()),
                Piece::Partition => write!(out, "{}", message.partition.partition.0)?,
                Piece::Offset => write!(out, "{}", message.offset)?,
                Piece::Timestamp => write!(out, "{}", message.timestamp_ms)?,
            }
        }
        Ok(())
    }
}

fn write_headers(out: &mut Vec<u8>, message: &Message) {
    for (index, header) in message.headers.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        out.extend_from_slice(&header.name);
        out.push(b'=');
        out.extend_from_slice(header.value.as_deref().unwrap_or_default());
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut plain = String::new();
        let mut characters = text.chars();
        while let Some(character) = characters.next() {
            let field = match character {
                '%' => field(characters.next(), &mut plain)?,
                '\\' => {
                    plain.push(escape(characters.next())?);
                    None
                }
                other => {
                    plain.push(other);
                    None
                }
            };
            if let Some(field) = field {
                if !plain.is_empty() {
                    pieces.push(Piece::Text(std::mem::take(&mut plain)));
                }
                pieces.push(field);
            }
        }
        if !plain.is_empty() {
            pieces.push(Piece::Text(plain));
        }
        Ok(Self(pieces))
    }
}

fn field(letter: Option<char>, plain: &mut String) -> Result<Option<Piece>, String> {
    Ok(Some(match letter {
        Some('v' | 's') => Piece::Value,
        Some('k') => Piece::Key,
        Some('h') => Piece::Headers,
        Some('t') => Piece::Topic,
        Some('p') => Piece::Partition,
        Some('o') => Piece::Offset,
        Some('T') => Piece::Timestamp,
        Some('%') => {
            plain.push('%');
            return Ok(None);
        }
        other => {
            return Err(format!(
                "%{} is no field",
                other.map(String::from).unwrap_or_default()
            ));
        }
    }))
}

fn escape(letter: Option<char>) -> Result<char, String> {
    match letter {
        Some('n') => Ok('\n'),
        Some('t') => Ok('\t'),
        Some('0') => Ok('\0'),
        Some('\\') => Ok('\\'),
        other => Err(format!(
            "\\{} is no escape",
            other.map(String::from).unwrap_or_default()
        )),
    }
}

#[cfg(test)]
mod tests {
    use barnabas_client::{LeaderEpoch, MessageHeader, PartitionId, TopicPartition};

    use super::*;

    #[track_caller]
    fn check(format: &str, expected: &[u8]) {
        let header = |name: &'static [u8], value: &'static [u8]| MessageHeader {
            name: name.into(),
            value: Some(value.into()),
        };
        let message = Message {
            partition: TopicPartition::new("t", PartitionId(2)),
            offset: 7,
            leader_epoch: LeaderEpoch(0),
            timestamp_ms: 99,
            key: None,
            value: Some((&b"v\xff"[..]).into()),
            headers: vec![header(b"a", b"1"), header(b"b", b"")],
        };
        let mut out = Vec::new();
        format
            .parse::<Format>()
            .unwrap()
            .write(&mut out, &message)
            .unwrap();
        assert_eq!(out, expected, "{format}");
    }

    #[test]
    fn a_record_is_printed_byte_for_byte() {
        check("%v\\n", b"v\xff\n");
        check("%t-%p@%o %T %k|%h", b"t-2@7 99 |a=1,b=");
    }

    #[test]
    fn fields_and_escapes_are_told_from_text() {
        let format: Format = "%t-%p@%o: 100%% %v\\n".parse().unwrap();
        let text = |text: &str| Piece::Text(text.to_owned());
        let expected = [
            Piece::Topic,
            text("-"),
            Piece::Partition,
            text("@"),
            Piece::Offset,
            text(": 100% "),
            Piece::Value,
            text("\n"),
        ];
        assert_eq!(format.0, expected);
        for wrong in ["%x", "%", "\\q", "\\"] {
            assert!(wrong.parse::<Format>().is_err(), "{wrong}");
        }
    }
}
