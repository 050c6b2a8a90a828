//! `check-config`: every setting in force, and where it came from.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::process::ExitCode;

use barnabas_config::{Assigned, Loaded, Setting, Source, table};
use serde_json::{Map, Value, json};

use super::{Output, SettingsArgs, say, settings_problems};

/// Longer values push the source of their own line to the right, not that of all others.
const VALUE_WIDTH_MAX: usize = 32;

/// Prints to standard output; warnings go to standard error.
pub(super) fn run(settings: &SettingsArgs, only_set: bool, output: Output) -> ExitCode {
    let loaded = match settings.load() {
        Ok(loaded) => loaded,
        Err(problems) => return settings_problems(&problems),
    };
    let text = match output {
        Output::Table => table_text(&loaded, only_set),
        Output::Json => json_text(&loaded, only_set),
    };
    if output == Output::Table {
        for warning in &loaded.warnings {
            say(&format!("warning: {warning}\n"));
        }
    }
    match io::stdout().write_all(text.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        // A reader like `head` has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("standard output: {error}\n"));
            ExitCode::FAILURE
        }
    }
}

/// Every effective setting with its value, sorted by key; `None` where it has none.
fn rows(loaded: &Loaded, only_set: bool) -> Vec<(&'static Setting, Option<Assigned>)> {
    let mut rows: Vec<(&'static Setting, Option<Assigned>)> = table::settings()
        .filter(|setting| setting.is_effective())
        .filter(|setting| !only_set || loaded.effective.is_set(setting.key))
        .map(|setting| (setting, loaded.effective.all(setting).into_iter().next()))
        .collect();
    rows.sort_by_key(|(setting, _)| setting.key);
    rows
}

fn table_text(loaded: &Loaded, only_set: bool) -> String {
    let lines: Vec<[String; 3]> = rows(loaded, only_set)
        .into_iter()
        .map(|(setting, assigned)| {
            let source = assigned
                .as_ref()
                .map_or(Source::Default, |a| a.source.clone());
            let value = match &assigned {
                None => "-".to_owned(),
                Some(assigned) if assigned.shown().is_empty() => "\"\"".to_owned(),
                Some(assigned) => assigned.shown().to_owned(),
            };
            [setting.key.to_owned(), value, source.to_string()]
        })
        .collect();
    let width = |column: fn(&[String; 3]) -> &String| {
        lines
            .iter()
            .map(|line| column(line).chars().count())
            .max()
            .unwrap_or(0)
    };
    let keys = width(|[key, ..]| key);
    let values = width(|[_, value, _]| value).min(VALUE_WIDTH_MAX);
    let mut text = String::new();
    for [key, value, source] in &lines {
        if writeln!(text, "{key:keys$}  {value:values$}  {source}").is_err() {
            text.push('\n');
        }
    }
    text
}

fn json_text(loaded: &Loaded, only_set: bool) -> String {
    let settings: Vec<Value> = rows(loaded, only_set)
        .into_iter()
        .map(|(setting, assigned)| {
            let mut row = Map::new();
            row.insert("key".to_owned(), json!(setting.key));
            row.insert(
                "value".to_owned(),
                json!(assigned.as_ref().map(Assigned::shown)),
            );
            let source = assigned.map_or(Source::Default, |assigned| assigned.source);
            row.insert("source".to_owned(), json!(source.to_string()));
            row.insert(
                "default".to_owned(),
                json!(setting.default_under(loaded.effective.baseline())),
            );
            Value::Object(row)
        })
        .collect();
    let warnings: Vec<String> = loaded.warnings.iter().map(ToString::to_string).collect();
    format!(
        "{:#}\n",
        json!({ "settings": settings, "warnings": warnings })
    )
}
