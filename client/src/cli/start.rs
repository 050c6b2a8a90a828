//! Where consuming begins, as people type it.

use std::str::FromStr;

use super::utc;

/// Where consuming begins in each partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Start {
    /// The first record that is there.
    Beginning,
    /// After the last record.
    End,
    /// This offset.
    At(i64),
    /// So many records before the end; the first one where there are fewer.
    BeforeEnd(i64),
    /// The first record with this timestamp or a later one, ms since the Unix epoch.
    Timestamp(i64),
}

impl Start {
    /// The same as the library has it.
    pub(crate) const fn of_client(self) -> barnabas_client::Start {
        match self {
            Self::Beginning => barnabas_client::Start::Beginning,
            Self::End => barnabas_client::Start::End,
            Self::At(offset) => barnabas_client::Start::Offset(offset),
            Self::BeforeEnd(count) => barnabas_client::Start::BeforeEnd(count),
            Self::Timestamp(timestamp_ms) => barnabas_client::Start::TimestampMs(timestamp_ms),
        }
    }

    /// What to do where the offset is not, or no more, in the log (`auto.offset.reset`): whoever
    /// names an offset wants that one or none.
    pub(crate) const fn reset(self) -> &'static str {
        match self {
            Self::At(_) => "none",
            Self::End => "latest",
            Self::Beginning | Self::BeforeEnd(_) | Self::Timestamp(_) => "earliest",
        }
    }
}

impl FromStr for Start {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!("`{text}` is none of start, end, an offset, -N, @MS or @2026-11-21T10:00:00Z")
        };
        match text {
            "start" | "beginning" | "earliest" => return Ok(Self::Beginning),
            "end" | "latest" => return Ok(Self::End),
            _ => {}
        }
        if let Some(time) = text.strip_prefix('@') {
            let at = time.parse().ok().or_else(|| utc::parse(time));
            return at.map(Self::Timestamp).ok_or_else(wrong);
        }
        if let Some(back) = text.strip_prefix('-') {
            let back: u32 = back.parse().map_err(|_error| wrong())?;
            return Ok(Self::BeforeEnd(back.into()));
        }
        match text.parse() {
            Ok(offset) if offset >= 0 => Ok(Self::At(offset)),
            _ => Err(wrong()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<Start>) {
        assert_eq!(text.parse().ok(), expected, "{text}");
    }

    #[test]
    fn every_spelling_is_understood() {
        check("start", Some(Start::Beginning));
        check("end", Some(Start::End));
        check("42", Some(Start::At(42)));
        check("-5", Some(Start::BeforeEnd(5)));
        check("@1700000000000", Some(Start::Timestamp(1_700_000_000_000)));
        check(
            "@2023-11-14T22:13:20Z",
            Some(Start::Timestamp(1_700_000_000_000)),
        );
        check("@2024-02-29", Some(Start::Timestamp(1_709_164_800_000)));
        check("@2023-02-29", None);
        check("@noon", None);
        check("middle", None);
        check("--5", None);
    }
}
