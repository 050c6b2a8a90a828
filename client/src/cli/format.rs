//! How a consumed record is printed: a text with `%` fields.

use std::str::FromStr;

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
    use super::*;

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
