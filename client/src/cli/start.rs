//! Where consuming begins, as people type it.

use std::str::FromStr;

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
            let at = time.parse().ok().or_else(|| utc_ms(time));
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

/// Reads `YYYY-MM-DDTHH:MM:SSZ` (the time and the Z may be left out) as ms since the Unix epoch.
fn utc_ms(text: &str) -> Option<i64> {
    let text = text.strip_suffix('Z').unwrap_or(text);
    let (date, time) = text.split_once('T').unwrap_or((text, "00:00:00"));
    let [year, month, day] = numbers(date, '-')?;
    let [hour, minute, second] = numbers(time, ':')?;
    let in_range = (1970..=9999).contains(&year)
        && (1..=12).contains(&month)
        && (1..=days_in(year, month)).contains(&day)
        && (0..24).contains(&hour)
        && (0..60).contains(&minute)
        && (0..60).contains(&second);
    if !in_range {
        return None;
    }
    let years: i64 = (1970..year)
        .map(|one| if is_leap(one) { 366 } else { 365 })
        .sum();
    let months: i64 = (1..month).map(|one| days_in(year, one)).sum();
    let days = years + months + day - 1;
    Some((((days * 24 + hour) * 60 + minute) * 60 + second) * 1_000)
}

fn numbers(text: &str, separator: char) -> Option<[i64; 3]> {
    let mut parts = text.split(separator).map(|part| part.parse::<i64>().ok());
    let all = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(all)
}

const fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

const fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
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
