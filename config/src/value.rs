//! One value: from what somebody typed to the canonical text that the typed views read.

use crate::setting::{Kind, Setting, Unit};

/// Turns `raw` into the canonical text of `setting`: trimmed, sizes and durations in the key's
/// own unit, list items without blanks.
///
/// # Errors
/// What would have fitted, as the end of a sentence that begins with "expected".
pub(crate) fn canonical(setting: &Setting, raw: &str) -> Result<String, String> {
    check(setting.kind, setting.unit, raw.trim())
}

fn check(kind: Kind, unit: Unit, text: &str) -> Result<String, String> {
    match kind {
        Kind::Boolean => match text.to_ascii_lowercase().as_str() {
            "true" => Ok("true".to_owned()),
            "false" => Ok("false".to_owned()),
            _ => Err("true or false".to_owned()),
        },
        Kind::Short(min, max) => whole(text, unit, min.into(), max.into()),
        Kind::Int(min, max) => whole(text, unit, min.into(), max.into()),
        Kind::Long(min, max) => whole(text, unit, min, max),
        Kind::Double(min, max) => match text.parse::<f64>() {
            Ok(value) if (min..=max).contains(&value) => Ok(text.to_owned()),
            _ => Err(format!("a number from {min} to {max}")),
        },
        Kind::Text | Kind::Class | Kind::Password => Ok(text.to_owned()),
        Kind::Choice(choices) if choices.contains(&text) => Ok(text.to_owned()),
        Kind::Choice(choices) => Err(format!("one of {}", choices.join(", "))),
        Kind::List(choices) => list(text, choices),
    }
}

fn list(text: &str, choices: &[&str]) -> Result<String, String> {
    let items: Vec<&str> = items(text).collect();
    if choices.is_empty() || items.iter().all(|item| choices.contains(item)) {
        Ok(items.join(","))
    } else {
        Err(format!(
            "items of {}, separated by commas",
            choices.join(", ")
        ))
    }
}

/// The items of a list: separated by commas, blanks trimmed, empty ones dropped.
pub(crate) fn items(text: &str) -> impl Iterator<Item = &str> {
    text.split(',')
        .map(str::trim)
        .filter(|item| !item.is_empty())
}

fn whole(text: &str, unit: Unit, min: i64, max: i64) -> Result<String, String> {
    let value = text.parse::<i64>().ok().or_else(|| with_suffix(text, unit));
    match value {
        Some(value) if (min..=max).contains(&value) => Ok(value.to_string()),
        _ => Err(expected_number(unit, min, max)),
    }
}

fn expected_number(unit: Unit, min: i64, max: i64) -> String {
    let name = match unit.name() {
        "" => String::new(),
        name => format!(" of {name}"),
    };
    let range = match max {
        i64::MAX => format!("{min} or more"),
        max if max == i64::from(i32::MAX) => format!("{min} or more, up to {max}"),
        max => format!("{min} to {max}"),
    };
    format!("a whole number{name}, {range}")
}

/// `"7d"`, `"1.5"` is not one; `"16MiB"`. `None` where the suffix is unknown, is not of this
/// unit, overflows, or does not divide evenly (`"90s"` in minutes).
fn with_suffix(text: &str, unit: Unit) -> Option<i64> {
    let split = text.find(|c: char| !c.is_ascii_digit())?;
    let (digits, suffix) = text.split_at_checked(split)?;
    let count: i64 = digits.parse().ok()?;
    let total = count.checked_mul(scale(suffix.trim(), unit)?)?;
    let per = unit.base()?;
    (total % per == 0).then_some(total / per)
}

/// How many milliseconds or bytes one of `suffix` is.
fn scale(suffix: &str, unit: Unit) -> Option<i64> {
    let is_time = !matches!(unit, Unit::Bytes);
    let scale = match (is_time, suffix) {
        (true, "ms") => 1,
        (true, "s") => 1_000,
        (true, "m" | "min") => 60_000,
        (true, "h") => 3_600_000,
        (true, "d") => 86_400_000,
        (false, "B") => 1,
        (false, "KiB") => 1 << 10,
        (false, "MiB") => 1 << 20,
        (false, "GiB") => 1 << 30,
        (false, "TiB") => 1 << 40,
        (false, "kB" | "KB") => 1_000,
        (false, "MB") => 1_000_000,
        (false, "GB") => 1_000_000_000,
        (false, "TB") => 1_000_000_000_000,
        _ => return None,
    };
    Some(scale)
}

impl Unit {
    /// The unit in words; empty for a plain count.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Milliseconds => "milliseconds",
            Self::Seconds => "seconds",
            Self::Minutes => "minutes",
            Self::Hours => "hours",
            Self::Bytes => "bytes",
            Self::Percent => "percent",
        }
    }

    /// One of this unit in milliseconds or bytes; `None` where suffixes make no sense.
    const fn base(self) -> Option<i64> {
        match self {
            Self::None | Self::Percent => None,
            Self::Milliseconds | Self::Bytes => Some(1),
            Self::Seconds => Some(1_000),
            Self::Minutes => Some(60_000),
            Self::Hours => Some(3_600_000),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(setting: Setting, raw: &str, expected: Result<&str, &str>) {
        let expected = expected.map(str::to_owned).map_err(str::to_owned);
        assert_eq!(
            canonical(&setting, raw),
            expected,
            "{} = {raw}",
            setting.key
        );
    }

    #[test]
    fn numbers_keep_the_unit_of_their_key() {
        let ms = Setting::long("x.ms", -1).unit(Unit::Milliseconds);
        check(ms, " 42 ", Ok("42"));
        check(ms, "-1", Ok("-1"));
        check(ms, "7d", Ok("604800000"));
        check(ms, "-2", Err("a whole number of milliseconds, -1 or more"));
        check(
            ms,
            "1GiB",
            Err("a whole number of milliseconds, -1 or more"),
        );
        check(
            ms,
            "9223372036854775807d",
            Err("a whole number of milliseconds, -1 or more"),
        );
        let minutes = Setting::int("x.minutes", 1).unit(Unit::Minutes);
        check(minutes, "2h", Ok("120"));
        check(
            minutes,
            "90s",
            Err("a whole number of minutes, 1 or more, up to 2147483647"),
        );
        let bytes = Setting::int("x.bytes", 14).unit(Unit::Bytes);
        check(bytes, "1GiB", Ok("1073741824"));
        check(bytes, "1MB", Ok("1000000"));
        check(
            bytes,
            "8GiB",
            Err("a whole number of bytes, 14 or more, up to 2147483647"),
        );
        check(
            Setting::int("x", 0),
            "3s",
            Err("a whole number, 0 or more, up to 2147483647"),
        );
    }

    #[test]
    fn words_are_held_to_their_choices() {
        check(Setting::boolean("x"), "TRUE", Ok("true"));
        check(Setting::boolean("x"), "yes", Err("true or false"));
        let choice = Setting::new("x", Kind::Choice(&["a", "b"]));
        check(choice, "b", Ok("b"));
        check(choice, "B", Err("one of a, b"));
        let list = Setting::new("x", Kind::List(&["delete", "compact"]));
        check(list, "compact, delete,", Ok("compact,delete"));
        check(
            list,
            "compact,drop",
            Err("items of delete, compact, separated by commas"),
        );
        check(Setting::new("x", Kind::Double(0.0, 1.0)), "0.5", Ok("0.5"));
        check(
            Setting::new("x", Kind::Double(0.0, 1.0)),
            "NaN",
            Err("a number from 0 to 1"),
        );
    }
}
