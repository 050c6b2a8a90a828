//! The table as a page to read.

use std::fmt::Write;

use crate::setting::{Dynamic, Kind, Setting, Support};
use crate::table::SECTIONS;

/// The whole table as Markdown: what the broker acts on first, then what it ignores and refuses.
#[must_use]
pub fn markdown() -> String {
    let mut page = String::from(
        "# Settings\n\n\
         Written from the table in `config/src/table`; a test keeps the two alike.\n\n\
         Order: default < file < environment (`KAFKA_LOG_DIRS`, `KAFKA_CFG_LOG_DIRS`) < \
         `--override key=value` < ZooKeeper.\n\
         Numbers are in the unit of their key; as quoted text they may carry one: `\"7d\"`, \
         `\"16MiB\"`.\n\
         In TOML these keys must be quoted, since other keys begin with them: `\"broker.id\"`, \
         `\"max.connections\"`, `\"max.connections.per.ip\"`.\n\
         A `server.properties` gets the defaults of Kafka 2.8 where they differ.\n",
    );
    for section in SECTIONS {
        let effective: Vec<&Setting> = section
            .settings
            .iter()
            .filter(|setting| setting.is_effective())
            .collect();
        if !effective.is_empty() {
            page.push_str(&format!("\n## {}\n", section.title));
        }
        for setting in effective {
            row(&mut page, setting);
        }
    }
    page.push_str(
        "\n## Known to Kafka, ignored here\n\n\
         A warning in a `server.properties` or in the environment, an error in TOML and in \
         `--override`.\n\n| setting | why |\n|---|---|\n",
    );
    for setting in crate::table::settings() {
        if let Support::Ignored(reason) = setting.support {
            line(&mut page, format_args!("| `{}` | {reason} |", setting.key));
        }
    }
    page.push_str(
        "\n## Refused\n\nThe broker does not start, because ignoring them would be dangerous.\n\n\
         | setting | accepted | why |\n|---|---|---|\n",
    );
    for setting in crate::table::settings() {
        if let Support::Refused { harmless, reason } = setting.support {
            let accepted = harmless.iter().map(|value| match *value {
                "" => "empty".to_owned(),
                value => format!("`{value}`"),
            });
            let accepted: Vec<String> = accepted.collect();
            let accepted = accepted.join(", ");
            line(
                &mut page,
                format_args!("| `{}` | {accepted} | {reason} |", setting.key),
            );
        }
    }
    page
}

fn line(page: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    if writeln!(page, "{text}").is_err() {
        page.push('\n');
    }
}

fn row(page: &mut String, setting: &Setting) {
    let mut facts = vec![kind(setting)];
    match setting.default {
        Some("") => facts.push("default empty".to_owned()),
        Some(default) => facts.push(format!("default `{default}`")),
        None => facts.push("no default".to_owned()),
    }
    if let Some(value) = setting.default_kafka28 {
        facts.push(format!("in a `server.properties` `{value}`"));
    }
    if let Some(value) = setting.shipped {
        facts.push(format!("in the shipped file `{value}`"));
    }
    if let Some(key) = setting.topic_key {
        facts.push(format!("per topic `{key}`"));
    }
    match setting.dynamic {
        Dynamic::ReadOnly => {}
        Dynamic::PerBroker => facts.push("may change at run time, per broker".to_owned()),
        Dynamic::ClusterWide => facts.push("may change at run time".to_owned()),
    }
    line(
        page,
        format_args!(
            "\n### `{}`\n\n{}.\n\n{}",
            setting.key,
            facts.join("; "),
            setting.doc
        ),
    );
}

fn kind(setting: &Setting) -> String {
    let unit = match setting.unit.name() {
        "" => String::new(),
        unit => format!(" in {unit}"),
    };
    let range = |min: i64, max: i64, top: i64| {
        if max == top {
            format!("number{unit}, from {min}")
        } else {
            format!("number{unit}, {min} to {max}")
        }
    };
    match setting.kind {
        Kind::Boolean => "`true` or `false`".to_owned(),
        Kind::Short(min, max) => range(min.into(), max.into(), i16::MAX.into()),
        Kind::Int(min, max) => range(min.into(), max.into(), i32::MAX.into()),
        Kind::Long(min, max) => range(min, max, i64::MAX),
        Kind::Double(min, max) => format!("fraction, {min} to {max}"),
        Kind::Text => "text".to_owned(),
        Kind::Choice(choices) => format!("one of `{}`", choices.join("`, `")),
        Kind::List(_) => "list, separated by commas".to_owned(),
        Kind::Class => "Java class".to_owned(),
        Kind::Password => "password".to_owned(),
    }
}
