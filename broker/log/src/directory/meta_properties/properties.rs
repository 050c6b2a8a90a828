//! The text format of Java's `Properties`, as far as files written by programs need it: comments,
//! escapes, continued lines.

use std::iter::Peekable;
use std::str::{Chars, Lines};

/// The pairs of a text, in its order. What cannot be read as an escape stands for itself.
#[derive(Debug)]
pub(super) struct Properties<'a> {
    lines: Lines<'a>,
}

impl<'a> Properties<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self {
            lines: text.lines(),
        }
    }

    /// The next line that says something, with the lines that continue it.
    fn logical_line(&mut self) -> Option<String> {
        let first = self
            .lines
            .by_ref()
            .map(str::trim_start)
            .find(|line| !line.is_empty() && !line.starts_with(['#', '!']))?;
        let mut whole = first.to_owned();
        while ends_with_lone_backslash(&whole) {
            whole.pop();
            whole.push_str(self.lines.next().unwrap_or_default().trim_start());
        }
        Some(whole)
    }
}

impl Iterator for Properties<'_> {
    type Item = (String, String);

    fn next(&mut self) -> Option<Self::Item> {
        let line = self.logical_line()?;
        let mut rest = line.chars().peekable();
        let key = unescape(&mut rest, |c| matches!(c, '=' | ':') || c.is_whitespace());
        while rest.next_if(|c| c.is_whitespace()).is_some() {}
        if rest.next_if(|c| matches!(c, '=' | ':')).is_some() {
            while rest.next_if(|c| c.is_whitespace()).is_some() {}
        }
        Some((key, unescape(&mut rest, |_| false)))
    }
}

fn ends_with_lone_backslash(line: &str) -> bool {
    line.bytes().rev().take_while(|&byte| byte == b'\\').count() % 2 == 1
}

/// Reads up to the first unescaped character that `ends` accepts.
fn unescape(rest: &mut Peekable<Chars<'_>>, ends: impl Fn(char) -> bool) -> String {
    let mut text = String::new();
    while let Some(next) = rest.next_if(|&c| !ends(c)) {
        if next != '\\' {
            text.push(next);
            continue;
        }
        match rest.next() {
            Some('t') => text.push('\t'),
            Some('n') => text.push('\n'),
            Some('r') => text.push('\r'),
            Some('f') => text.push('\u{c}'),
            Some('u') => {
                let digits: String = rest.by_ref().take(4).collect();
                let code = u32::from_str_radix(&digits, 16).ok();
                text.push(
                    code.and_then(char::from_u32)
                        .unwrap_or(char::REPLACEMENT_CHARACTER),
                );
            }
            Some(other) => text.push(other),
            None => {}
        }
    }
    text
}

/// One line of a file, with its end.
pub(super) fn line(key: &str, value: &str) -> String {
    let mut line = String::with_capacity(key.len() + value.len() + 2);
    for c in key.chars() {
        escape(c, true, &mut line);
    }
    line.push('=');
    for (index, c) in value.chars().enumerate() {
        escape(c, index == 0 && c == ' ', &mut line);
    }
    line.push('\n');
    line
}

fn escape(c: char, is_separator: bool, line: &mut String) {
    match c {
        '\t' => line.push_str("\\t"),
        '\n' => line.push_str("\\n"),
        '\r' => line.push_str("\\r"),
        '\u{c}' => line.push_str("\\f"),
        '=' | ':' | '#' | '!' | '\\' => line.extend(['\\', c]),
        ' ' if is_separator => line.push_str("\\ "),
        ' '..='~' => line.push(c),
        _ => {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                line.push_str(&format!("\\u{unit:04X}"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[(&str, &str)]) {
        let found: Vec<_> = Properties::new(text).collect();
        let found: Vec<_> = found
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn pairs_are_split_at_the_first_separator() {
        check(
            "a=b=c\nd : e\n  f g \nh\n",
            &[("a", "b=c"), ("d", "e"), ("f", "g "), ("h", "")],
        );
    }

    #[test]
    fn comments_and_empty_lines_say_nothing() {
        check("#a=b\n!c=d\n\n   # e\n", &[]);
    }

    #[test]
    fn escapes_and_continued_lines_are_undone() {
        check(
            "a\\=b=c\\\\\nd=e\\\n   f\ng=\\u0041\\t\\:",
            &[("a=b", "c\\"), ("d", "ef"), ("g", "A\t:")],
        );
        check("a=\\uzzzz\\", &[("a", "\u{fffd}")]);
    }

    #[test]
    fn a_line_written_is_the_pair_read() {
        for (key, value) in [
            ("a b", " c "),
            ("x:=#!\\", "\t\n\r\u{c}"),
            ("é", "語"),
            ("k", ""),
        ] {
            check(&line(key, value), &[(key, value)]);
        }
    }
}
