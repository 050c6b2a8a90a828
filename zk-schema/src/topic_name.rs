//! Which names a topic may have.

/// Longest name, in characters: the directory `name-partition` plus Kafka's suffix of a deleted one
/// must fit 255 bytes. Source: kafka 2.8 `Topic.java`, KAFKA-4893.
pub const TOPIC_NAME_LENGTH_MAX: usize = 249;

/// Topics that Kafka itself keeps; clients may not produce to or delete them by accident.
pub const INTERNAL_TOPICS: [&str; 2] = ["__consumer_offsets", "__transaction_state"];

/// Why a name cannot be a topic's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TopicNameError {
    /// No characters at all.
    #[error("a topic's name cannot be empty")]
    Empty,
    /// `.` or `..`, which would be directories.
    #[error("a topic cannot be named {0:?}")]
    Dots(String),
    /// Too long.
    #[error("a topic's name has at most {TOPIC_NAME_LENGTH_MAX} characters, this one has {length}")]
    TooLong {
        /// Its length in characters.
        length: usize,
    },
    /// A character outside the permitted ones.
    #[error(
        "{name:?} contains {character:?}; a topic's name is made of ASCII letters and digits, '.', '_' and '-'"
    )]
    Character {
        /// The name, shortened to the longest permitted length.
        name: String,
        /// The first offender.
        character: char,
    },
}

/// Whether `name` can be a topic's.
///
/// # Errors
/// [`TopicNameError`] says why not.
pub fn validate(name: &str) -> Result<(), TopicNameError> {
    if name.is_empty() {
        return Err(TopicNameError::Empty);
    }
    if matches!(name, "." | "..") {
        return Err(TopicNameError::Dots(name.to_owned()));
    }
    let permitted = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if let Some(character) = name.chars().find(|&c| !permitted(c)) {
        let name = name.chars().take(TOPIC_NAME_LENGTH_MAX).collect();
        return Err(TopicNameError::Character { name, character });
    }
    if name.len() > TOPIC_NAME_LENGTH_MAX {
        return Err(TopicNameError::TooLong { length: name.len() });
    }
    Ok(())
}

/// Whether two different names become the same where `.` is written as `_`, as metric names do.
/// Kafka refuses the second of such a pair.
#[must_use]
pub fn collide(one: &str, other: &str) -> bool {
    let same = |(a, b): (u8, u8)| a == b || (matches!(a, b'.' | b'_') && matches!(b, b'.' | b'_'));
    one != other && one.len() == other.len() && one.bytes().zip(other.bytes()).all(same)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, valid: bool) {
        assert_eq!(validate(name).is_ok(), valid, "{name:?}");
    }

    #[test]
    fn names_are_ascii_letters_digits_dot_underscore_and_dash() {
        check("a", true);
        check("Orders.v1_2-x", true);
        check(&"x".repeat(249), true);
        check(&"x".repeat(250), false);
        for name in ["", ".", "..", "a b", "a/b", "a:b", "\u{e9}", "a\0"] {
            check(name, false);
        }
        check("...", true);
    }

    #[test]
    fn dot_and_underscore_collide() {
        assert!(collide("a.b", "a_b"));
        assert!(!collide("a.b", "a.b"));
        assert!(!collide("a.b", "a-b"));
        assert!(!collide("a.b", "a_bc"));
    }
}
