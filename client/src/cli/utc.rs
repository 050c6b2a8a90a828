//! Times in UTC, as people read and write them.

/// Reads `YYYY-MM-DDTHH:MM:SSZ` (the time and the Z may be left out) as ms since the Unix epoch.
pub(crate) fn parse(text: &str) -> Option<i64> {
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
    let years: i64 = (1970..year).map(days_in_year).sum();
    let months: i64 = (1..month).map(|one| days_in(year, one)).sum();
    let days = years + months + day - 1;
    Some((((days * 24 + hour) * 60 + minute) * 60 + second) * 1_000)
}

/// Writes ms since the Unix epoch as `YYYY-MM-DD HH:MM:SS:mmm`, which is how Kafka's tools do.
/// Times before the epoch are told as the epoch.
pub(crate) fn text(timestamp_ms: i64) -> String {
    let timestamp_ms = timestamp_ms.max(0);
    let (seconds, ms) = (timestamp_ms / 1_000, timestamp_ms % 1_000);
    let (hour, minute, second) = (seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60);
    let (mut year, mut month, mut days) = (1970, 1, seconds / 86_400);
    while days >= days_in_year(year) {
        days -= days_in_year(year);
        year += 1;
    }
    while days >= days_in(year, month) {
        days -= days_in(year, month);
        month += 1;
    }
    let day = days + 1;
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}:{ms:03}")
}

fn numbers(text: &str, separator: char) -> Option<[i64; 3]> {
    let mut parts = text.split(separator).map(|part| part.parse::<i64>().ok());
    let all = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(all)
}

const fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

const fn days_in_year(year: i64) -> i64 {
    if is_leap(year) { 366 } else { 365 }
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
    fn check(timestamp_ms: i64, expected: &str) {
        let written = text(timestamp_ms);
        assert_eq!(written, expected);
        let (seconds, _) = written.rsplit_once(':').unwrap();
        assert_eq!(
            parse(&seconds.replace(' ', "T")),
            Some(timestamp_ms / 1_000 * 1_000)
        );
    }

    #[test]
    fn a_time_is_written_and_read_alike() {
        check(0, "1970-01-01 00:00:00:000");
        check(1_700_000_000_123, "2023-11-14 22:13:20:123");
        check(1_709_164_800_000, "2024-02-29 00:00:00:000");
        check(4_107_542_399_999, "2100-02-28 23:59:59:999");
        assert_eq!(text(-5), "1970-01-01 00:00:00:000");
    }
}
