//! The shipped `server.toml` and the settings page agree with the table.

use std::path::{Path, PathBuf};

use barnabas_config::{Baseline, Inputs, SettingsFile, Source, load, markdown, table};
use expect_test::expect_file;

fn shipped(text: &str) -> Inputs {
    let file = SettingsFile {
        path: PathBuf::from("server.toml"),
        text: text.to_owned(),
    };
    Inputs {
        file: Some(file),
        ..Inputs::default()
    }
}

fn shipped_text() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("server.toml");
    SettingsFile::read(&path)
        .map(|file| file.text)
        .unwrap_or_default()
}

#[test]
fn the_shipped_file_loads_without_a_warning() {
    let loaded = load(&shipped(&shipped_text())).unwrap();
    assert_eq!(loaded.warnings, []);
    assert!(loaded.broker.topics.is_delete_enabled);
    assert!(!loaded.broker.topics.is_auto_create_enabled);
}

#[test]
fn every_value_in_the_shipped_file_is_the_one_the_table_says() {
    let loaded = load(&shipped(&shipped_text())).unwrap();
    for setting in table::settings() {
        let expected = setting.shipped.or(setting.default_under(Baseline::Classic));
        let value = loaded.effective.all(setting).into_iter().next();
        assert_eq!(
            value.as_ref().map(|v| v.value.as_str()),
            expected,
            "{}",
            setting.key
        );
        if setting.shipped.is_some() {
            let source = value.map(|value| value.source);
            assert!(
                matches!(source, Some(Source::File { .. })),
                "{} is not set",
                setting.key
            );
        }
    }
}

#[test]
fn every_line_that_is_commented_out_is_a_setting_too() {
    let text = shipped_text();
    let suggestions: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("# "))
        .filter(|line| {
            line.split_once(" = ")
                .is_some_and(|(key, _)| !key.contains(' '))
        })
        .collect();
    assert!(suggestions.len() >= 5, "{suggestions:?}");
    for suggestion in suggestions {
        // In front of the rest, where no table has begun.
        load(&shipped(&format!("{suggestion}\n{text}")))
            .unwrap_or_else(|problems| panic!("{suggestion}: {problems}"));
    }
}

#[test]
fn every_setting_in_the_shipped_file_is_explained_above_it() {
    let text = shipped_text();
    let lines: Vec<&str> = text.lines().collect();
    for (index, line) in lines.iter().enumerate() {
        let is_setting = !line.is_empty() && !line.starts_with('#');
        let group = lines[..index]
            .iter()
            .rev()
            .take_while(|above| !above.is_empty());
        let is_explained = group.clone().any(|above| above.starts_with("# "));
        assert!(!is_setting || is_explained, "line {}: {line}", index + 1);
    }
}

#[test]
fn the_settings_page_is_written_from_the_table() {
    expect_file!["../SETTINGS.md"].assert_eq(&markdown());
}
