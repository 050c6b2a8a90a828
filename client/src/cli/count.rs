//! Numbers of records as people type them: `500`, `10k`, `5M`.

use std::str::FromStr;

/// A number of records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Count(pub(crate) u64);

impl FromStr for Count {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (digits, factor) = match text.trim_end_matches(['k', 'K', 'm', 'M', 'g', 'G']) {
            digits if digits.len() == text.len() => (digits, 1),
            digits => match text.get(digits.len()..) {
                Some("k" | "K") => (digits, 1_000),
                Some("m" | "M") => (digits, 1_000_000),
                Some("g" | "G") => (digits, 1_000_000_000),
                _ => return Err(wrong(text)),
            },
        };
        let number: u64 = digits
            .replace('_', "")
            .parse()
            .map_err(|_error| wrong(text))?;
        number
            .checked_mul(factor)
            .map(Self)
            .ok_or_else(|| wrong(text))
    }
}

fn wrong(text: &str) -> String {
    format!("`{text}` is not a number such as 500, 10k or 5M")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<u64>) {
        assert_eq!(text.parse().ok(), expected.map(Count), "{text}");
    }

    #[test]
    fn a_count_has_a_unit_or_none() {
        check("500", Some(500));
        check("10k", Some(10_000));
        check("5M", Some(5_000_000));
        check("1_000", Some(1_000));
        check("2G", Some(2_000_000_000));
        check("5MM", None);
        check("M", None);
        check("-1", None);
        check("18446744073709551615k", None);
    }
}
