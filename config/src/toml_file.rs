//! TOML: Kafka's keys, dotted or grouped in tables, flattened back to Kafka's names.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use toml::de::{DeTable, DeValue};

use crate::load::Written;
use crate::problem::Problem;
use crate::source::Source;

/// Everything that `text` sets, in the order of the file.
///
/// # Errors
/// [`Problem::Syntax`] for the first thing that is not TOML, [`Problem::Duplicate`] for a key
/// that is spelled in two ways, [`Problem::Invalid`] for a value of a kind that no setting has.
pub(crate) fn parse(path: &Arc<PathBuf>, text: &str) -> Result<Vec<Written>, Vec<Problem>> {
    let table = match DeTable::parse(text) {
        Ok(table) => table,
        Err(error) => return Err(vec![syntax(path, text, error.message(), error.span())]),
    };
    let mut walk = Walk {
        path,
        text,
        written: BTreeMap::new(),
        problems: Vec::new(),
    };
    walk.table("", table.get_ref());
    let mut written: Vec<Written> = walk.written.into_values().collect();
    written.sort_by(|a, b| a.source.cmp(&b.source));
    if walk.problems.is_empty() {
        Ok(written)
    } else {
        Err(walk.problems)
    }
}

struct Walk<'a> {
    path: &'a Arc<PathBuf>,
    text: &'a str,
    written: BTreeMap<String, Written>,
    problems: Vec<Problem>,
}

impl Walk<'_> {
    fn table(&mut self, prefix: &str, table: &DeTable<'_>) {
        for (name, value) in table {
            let key = if prefix.is_empty() {
                name.get_ref().to_string()
            } else {
                format!("{prefix}.{}", name.get_ref())
            };
            let source = at(self.path, self.text, name.span().start);
            if let DeValue::Table(inner) = value.get_ref() {
                self.table(&key, inner);
                continue;
            }
            match scalar(value.get_ref()) {
                Some(value) => self.add(Written { key, value, source }),
                None => self.problems.push(Problem::Invalid {
                    at: source,
                    key,
                    expected: "a text, a number, true, false, or an array of these".to_owned(),
                    got: self.text.get(value.span()).unwrap_or_default().to_owned(),
                }),
            }
        }
    }

    fn add(&mut self, written: Written) {
        if let Some(first) = self.written.get(&written.key) {
            let (early, late) = if first.source < written.source {
                (first.source.clone(), written.source)
            } else {
                (written.source, first.source.clone())
            };
            self.problems.push(Problem::Duplicate {
                at: late,
                key: written.key,
                first: early,
            });
        } else {
            self.written.insert(written.key.clone(), written);
        }
    }
}

/// The value as text; arrays joined by commas. `None` for dates and for tables in arrays.
fn scalar(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .ok()
            .map(|number| number.to_string()),
        DeValue::Float(number) => Some(number.as_str().to_owned()),
        DeValue::Boolean(value) => Some(value.to_string()),
        DeValue::Array(items) => {
            let items: Option<Vec<String>> =
                items.iter().map(|item| scalar(item.get_ref())).collect();
            items.map(|items| items.join(","))
        }
        DeValue::Datetime(_) | DeValue::Table(_) => None,
    }
}

fn at(path: &Arc<PathBuf>, text: &str, position: usize) -> Source {
    let line = lines_before(text, position) + 1;
    Source::File {
        path: Arc::clone(path),
        line,
    }
}

fn lines_before(text: &str, position: usize) -> usize {
    text.bytes()
        .take(position)
        .filter(|byte| *byte == b'\n')
        .count()
}

/// What the parser says, and what to do about it in the two cases that Kafka's names provoke.
fn syntax(path: &Arc<PathBuf>, text: &str, message: &str, span: Option<Range<usize>>) -> Problem {
    let position = span.map_or(0, |span| span.start);
    let line = text
        .lines()
        .nth(lines_before(text, position))
        .unwrap_or_default()
        .trim();
    let mut reason = format!("not TOML: {message}, in: {line}");
    let bare = line.trim_start_matches('"');
    if ["broker.id", "max.connections"]
        .iter()
        .any(|key| bare.starts_with(key))
    {
        reason.push_str(
            ". Three of Kafka's keys are also the beginning of others and must be quoted: \
             \"broker.id\", \"max.connections\", \"max.connections.per.ip\"",
        );
    } else if line.contains('=') && !line.contains(['"', '\'', '[']) {
        reason.push_str(
            ". In TOML text stands in quotes: key = \"value\". A server.properties is read as it \
             lies if its name ends in .properties",
        );
    }
    Problem::Syntax {
        at: at(path, text, position),
        reason,
    }
}
