//! The environment: `KAFKA_X` and `KAFKA_CFG_X`, as the usual container images spell settings.
//!
//! Rule of the images: strip the prefix, lower the case, `___` is `-`, `__` is `_`, `_` is `.`.

use crate::load::Written;
use crate::problem::{Problem, Warning};
use crate::source::Source;

/// Variables that are no settings of the broker: the images' own, and the tool's.
const NO_SETTINGS: &[&str] = &[
    "KAFKA_BOOTSTRAP_SERVERS",
    "KAFKA_VERSION",
    "KAFKA_HOME",
    "KAFKA_HEAP_OPTS",
    "KAFKA_OPTS",
    "KAFKA_JMX_OPTS",
    "KAFKA_JMX_PORT",
    "KAFKA_JMX_HOSTNAME",
    "KAFKA_JVM_PERFORMANCE_OPTS",
    "KAFKA_GC_LOG_OPTS",
    "KAFKA_LOG4J_OPTS",
    "KAFKA_LOG4J_LOGGERS",
    "KAFKA_LOG4J_ROOT_LOGLEVEL",
    "KAFKA_TOOLS_LOG4J_LOGLEVEL",
];

/// What the environment sets.
pub(crate) struct Environment {
    pub(crate) written: Vec<Written>,
    pub(crate) warnings: Vec<Warning>,
    pub(crate) problems: Vec<Problem>,
}

/// Reads the variables that begin with `KAFKA_`; the others are nobody's business here.
pub(crate) fn parse(variables: &[(String, String)]) -> Environment {
    let mut read = Environment {
        written: Vec::new(),
        warnings: Vec::new(),
        problems: Vec::new(),
    };
    let mut sorted: Vec<&(String, String)> = variables.iter().collect();
    sorted.sort();
    for (variable, value) in sorted {
        let name = variable
            .strip_prefix("KAFKA_CFG_")
            .or_else(|| variable.strip_prefix("KAFKA_"));
        let Some(name) = name.filter(|_| !NO_SETTINGS.contains(&variable.as_str())) else {
            continue;
        };
        let key = key(name);
        let source = Source::Environment {
            variable: variable.clone(),
        };
        if is_service_link(name, value) {
            if crate::table::find(&key).is_some() {
                let reason = format!("ignored: \"{value}\" looks like a Kubernetes service link");
                read.warnings.push(Warning {
                    at: source,
                    key,
                    reason,
                });
            }
            continue;
        }
        match read.written.iter().find(|written| written.key == key) {
            Some(first) => {
                let first = first.source.clone();
                read.problems.push(Problem::Duplicate {
                    at: source,
                    key,
                    first,
                });
            }
            None => read.written.push(Written {
                key,
                value: value.clone(),
                source,
            }),
        }
    }
    read
}

/// `LOG_DIRS` to `log.dirs`.
fn key(name: &str) -> String {
    name.to_ascii_lowercase()
        .replace("___", "-")
        .replace("__", "\0")
        .replace('_', ".")
        .replace('\0', "_")
}

/// Kubernetes tells every pod about every service: a service called `kafka` gives
/// `KAFKA_PORT=tcp://10.0.0.1:9092`, `KAFKA_SERVICE_HOST` and `KAFKA_PORT_9092_TCP_ADDR`.
fn is_service_link(name: &str, value: &str) -> bool {
    value.starts_with("tcp://")
        || value.starts_with("udp://")
        || name.starts_with("SERVICE_")
        || (name.starts_with("PORT_") && (name.contains("_TCP") || name.contains("_UDP")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(variable: &str, value: &str, expected: Option<&str>) {
        let read = parse(&[(variable.to_owned(), value.to_owned())]);
        let seen = read.written.first().map(|written| written.key.as_str());
        assert_eq!(seen, expected, "{variable}");
    }

    #[test]
    fn variables_are_spelled_as_the_images_spell_them() {
        check("KAFKA_LOG_DIRS", "/data", Some("log.dirs"));
        check("KAFKA_CFG_LOG_DIRS", "/data", Some("log.dirs"));
        check("KAFKA_A_B__C___D", "1", Some("a.b_c-d"));
        check("KAFKA_HEAP_OPTS", "-Xmx1g", None);
        check("KAFKA_BOOTSTRAP_SERVERS", "localhost:9092", None);
        check("LOG_DIRS", "/data", None);
        check("KAFKA_SERVICE_HOST", "10.0.0.1", None);
        check("KAFKA_PORT_9092_TCP_ADDR", "10.0.0.1", None);
        check("KAFKA_PORT", "9092", Some("port"));
        check("KAFKA_PORT", "tcp://10.0.0.1:9092", None);
    }

    #[test]
    fn a_service_link_in_the_place_of_a_setting_is_told() {
        let variables = [("KAFKA_PORT".to_owned(), "tcp://10.0.0.1:9092".to_owned())];
        assert_eq!(parse(&variables).warnings.len(), 1);
    }

    #[test]
    fn one_setting_in_two_variables_is_an_error() {
        let variables = [
            ("KAFKA_LOG_DIRS".to_owned(), "/a".to_owned()),
            ("KAFKA_CFG_LOG_DIRS".to_owned(), "/b".to_owned()),
        ];
        assert_eq!(parse(&variables).problems.len(), 1);
    }
}
