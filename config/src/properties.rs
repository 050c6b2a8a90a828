//! Java properties: a `server.properties` as it lies.
//!
//! The format of `java.util.Properties.load`: comments with `#` or `!`, key and value apart by
//! `=`, `:` or blanks, a backslash continues a line or escapes a character. A key set twice
//! counts with its last value, as in Java.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use crate::load::Written;
use crate::problem::Warning;
use crate::source::Source;

/// Everything that `text` sets, in the order of the file, and a warning for each key that a
/// later line overrules.
pub(crate) fn parse(path: &Arc<PathBuf>, text: &str) -> (Vec<Written>, Vec<Warning>) {
    let mut last: BTreeMap<String, Written> = BTreeMap::new();
    let mut warnings = Vec::new();
    for (line, logical) in logical_lines(text) {
        let (key, value) = split(&logical);
        let source = Source::File {
            path: Arc::clone(path),
            line,
        };
        let written = Written {
            key: key.clone(),
            value,
            source,
        };
        if let Some(before) = last.insert(key.clone(), written) {
            let reason = format!("overruled by the same key in line {line}");
            warnings.push(Warning {
                at: before.source,
                key,
                reason,
            });
        }
    }
    let mut written: Vec<Written> = last.into_values().collect();
    written.sort_by(|a, b| a.source.cmp(&b.source));
    (written, warnings)
}

/// Lines with their continuations joined, each with the number of its first line; without
/// comments and empty lines.
fn logical_lines(text: &str) -> Vec<(usize, String)> {
    let mut logical = Vec::new();
    let mut open: Option<(usize, String)> = None;
    for (index, line) in text.lines().enumerate() {
        let line = line.trim_start_matches([' ', '\t', '\u{c}']);
        let (first, mut joined) = match open.take() {
            Some(begun) => begun,
            None if line.is_empty() || line.starts_with(['#', '!']) => continue,
            None => (index + 1, String::new()),
        };
        let backslashes = line.bytes().rev().take_while(|byte| *byte == b'\\').count();
        match line.strip_suffix('\\') {
            Some(part) if backslashes % 2 == 1 => {
                joined.push_str(part);
                open = Some((first, joined));
            }
            _ => {
                joined.push_str(line);
                logical.push((first, joined));
            }
        }
    }
    logical.extend(open);
    logical
}

/// Key and value of one logical line, escapes resolved.
fn split(line: &str) -> (String, String) {
    let mut is_escaped = false;
    let end = line.find(|c: char| {
        let ends = !is_escaped && matches!(c, '=' | ':' | ' ' | '\t' | '\u{c}');
        is_escaped = !is_escaped && c == '\\';
        ends
    });
    let (key, rest) = line
        .split_at_checked(end.unwrap_or(line.len()))
        .unwrap_or((line, ""));
    let rest = rest.trim_start_matches([' ', '\t', '\u{c}']);
    let rest = rest.strip_prefix(['=', ':']).unwrap_or(rest);
    (
        unescape(key),
        unescape(rest.trim_start_matches([' ', '\t', '\u{c}'])),
    )
}

/// Resolves `\n`, `\t`, `\r`, `\f` and `\u` with four hexadecimal digits; any other escaped character stands for itself.
fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(character) = rest.next() {
        if character != '\\' {
            plain.push(character);
            continue;
        }
        match rest.next() {
            Some('n') => plain.push('\n'),
            Some('t') => plain.push('\t'),
            Some('r') => plain.push('\r'),
            Some('f') => plain.push('\u{c}'),
            Some('u') => {
                let digits: String = rest.by_ref().take(4).collect();
                let code = u32::from_str_radix(&digits, 16)
                    .ok()
                    .and_then(char::from_u32);
                plain.push(code.unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            Some(other) => plain.push(other),
            None => {}
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[(usize, &str, &str)]) {
        let path = Arc::new(PathBuf::from("server.properties"));
        let (written, _) = parse(&path, text);
        let seen: Vec<(usize, &str, &str)> = written
            .iter()
            .map(|w| {
                let Source::File { line, .. } = &w.source else {
                    panic!("{:?}", w.source)
                };
                (*line, w.key.as_str(), w.value.as_str())
            })
            .collect();
        assert_eq!(seen, expected);
    }

    #[test]
    fn lines_are_read_as_java_reads_them() {
        check(
            "# comment\n! too\n\na=1\n  b : 2\nc 3\nd\ne=x=y\nf = C:\\\\tmp\n",
            &[
                (4, "a", "1"),
                (5, "b", "2"),
                (6, "c", "3"),
                (7, "d", ""),
                (8, "e", "x=y"),
                (9, "f", "C:\\tmp"),
            ],
        );
        check(
            "list=a,\\\n     b,\\\n     c\nnext=\\u0041\\t.",
            &[(1, "list", "a,b,c"), (4, "next", "A\t.")],
        );
        check("a\\ b=1\r\nend=\\", &[(1, "a b", "1"), (2, "end", "")]);
    }

    #[test]
    fn the_last_of_two_lines_counts_and_the_first_is_told() {
        check("a=1\na=2", &[(2, "a", "2")]);
        let (_, warnings) = parse(&Arc::new(PathBuf::from("p")), "a=1\na=2");
        assert_eq!(warnings.len(), 1);
        assert_eq!(
            warnings[0].to_string(),
            "p:1: a: overruled by the same key in line 2"
        );
    }
}
