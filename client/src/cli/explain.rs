//! Errors of the library in words for a person, with advice.

use barnabas_client::{BrokerId, Client, Error, ErrorCode};

use super::caller::Caller;
use super::ending::{Ending, Failure};
use super::hint;
use super::nearest::nearest;

/// An error of the library as the end of a command, with the advice that its kind allows.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "other errors say all there is to say"
)]
pub(crate) fn error(caller: &Caller, error: &Error) -> Failure {
    match error {
        Error::Kafka { code, .. } => Failure {
            ending: Ending::Failed,
            code: Some(*code),
            message: error.to_string(),
            hint: hint::of_code(*code).map(str::to_owned),
        },
        Error::Unreachable { tried } => unreachable_cluster(caller, tried),
        Error::BrokerUnreachable { .. } => unreachable_broker(error),
        Error::Timeout {
            last: Some(last), ..
        } if is_unreachable(last) => unreachable_broker(error),
        Error::Timeout { last, .. } => Failure {
            ending: Ending::Unreachable,
            code: last.as_ref().and_then(|last| last.code()),
            message: error.to_string(),
            hint: last
                .as_ref()
                .and_then(|last| last.code())
                .and_then(hint::of_code)
                .map(str::to_owned),
        },
        Error::Request { .. } => Failure::new(Ending::Unreachable, error.to_string()).hint(
            "if the request asked for a change, it may have been made: look before you repeat it",
        ),
        Error::Config(_) => Failure::usage(error.to_string()),
        Error::RecordTooLarge { setting, .. } => Failure::new(Ending::Failed, error.to_string())
            .hint(format!(
                "raise it with -X {setting}=BYTES, and max.message.bytes of the topic with it"
            )),
        Error::OffsetOutOfRange { .. } => Failure::new(Ending::Failed, error.to_string()).hint(
            "`barnabas topic describe` shows the first and the last offset of each partition",
        ),
        other => Failure::new(Ending::Failed, other.to_string()),
    }
}

fn is_unreachable(error: &Error) -> bool {
    error.is_unreachable()
}

fn unreachable_cluster(caller: &Caller, tried: &[String]) -> Failure {
    let seconds = caller.timeout().as_secs();
    let message = format!(
        "cannot reach any server within {seconds} s: {}",
        tried.join("; ")
    );
    let hint = if tried
        .iter()
        .any(|one| one.contains("does not answer like a Kafka broker"))
    {
        "something else listens there: is it the port of the broker's listener (9092 by default)?"
    } else if tried.iter().any(|one| one.contains("cannot resolve")) {
        "is the name spelled right?  -b HOST:PORT or KAFKA_BOOTSTRAP_SERVERS say where the brokers are"
    } else {
        "is a broker running there?  `./x up` starts a cluster; -b HOST:PORT or \
         KAFKA_BOOTSTRAP_SERVERS say where the brokers are"
    };
    Failure::new(Ending::Unreachable, message).hint(hint)
}

fn unreachable_broker(error: &Error) -> Failure {
    Failure::new(Ending::Unreachable, error.to_string()).hint(
        "the cluster gives this address to its clients: is the broker down, or does its \
         `advertised.listeners` name a host that cannot be reached from here?",
    )
}

/// The same, with what the cluster itself has to say about it: the name that was probably meant,
/// the brokers that live. `topic` is what the failed call was about.
pub(crate) async fn about_topic(
    caller: &Caller,
    client: &Client,
    topic: &str,
    error: &Error,
) -> Failure {
    match error.code() {
        Some(ErrorCode::UnknownTopicOrPartition) => unknown_topic(client, topic).await,
        Some(ErrorCode::InvalidReplicationFactor) => {
            let failure = self::error(caller, error);
            match client.admin().describe_cluster().await {
                Ok(cluster) => failure.hint(live(cluster.brokers.iter().map(|broker| broker.id))),
                Err(_) => failure,
            }
        }
        Some(_) | None => self::error(caller, error),
    }
}

/// No such topic, with the nearest name there is.
pub(crate) async fn unknown_topic(client: &Client, topic: &str) -> Failure {
    let code = ErrorCode::UnknownTopicOrPartition;
    let topics = client.admin().list_topics().await.unwrap_or_default();
    let names = topics.iter().map(|known| known.name.as_str());
    match nearest(topic, names) {
        Some(name) => Failure::kafka(code, format!("no topic '{topic}'"))
            .hint(format!("Did you mean '{name}'?")),
        None => Failure::kafka(code, format!("no topic '{topic}'")).hint(format!(
            "`barnabas topic list` shows those there are; `barnabas topic create {topic}` makes it"
        )),
    }
}

/// Advice where there are fewer brokers than replicas asked for.
pub(crate) fn live(brokers: impl Iterator<Item = BrokerId>) -> String {
    let ids: Vec<String> = brokers.map(|id| id.to_string()).collect();
    let at_most = ids.len();
    let ids = ids.join(", ");
    format!("live brokers: {ids}.  Start more, or use --replication-factor {at_most} or less")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use clap::Parser as _;

    use super::*;
    use crate::cli::args::Arguments;

    #[track_caller]
    fn check(error: &Error, ending: Ending, message: &str, hint: &str) {
        let line = ["barnabas", "topic", "list", "--timeout", "5"];
        let caller = Caller::new(Arguments::try_parse_from(line).unwrap().global);
        let failure = super::error(&caller, error);
        assert_eq!(
            (failure.ending, failure.message.as_str()),
            (ending, message)
        );
        let said = failure.hint.unwrap_or_default();
        assert!(said.contains(hint), "{said}");
    }

    #[test]
    fn every_kind_of_error_ends_with_its_code_and_advice() {
        let tried = vec!["h:1: Connection refused".to_owned()];
        check(
            &Error::Unreachable { tried },
            Ending::Unreachable,
            "cannot reach any server within 5 s: h:1: Connection refused",
            "is a broker running there?",
        );
        let tried = vec!["cannot resolve nowhere: no such host".to_owned()];
        check(
            &Error::Unreachable { tried },
            Ending::Unreachable,
            "cannot reach any server within 5 s: cannot resolve nowhere: no such host",
            "spelled right",
        );
        let refused = Error::Kafka {
            code: ErrorCode::TopicAlreadyExists,
            subject: "topic t".to_owned(),
            message: Some("Topic 't' already exists.".to_owned()),
        };
        check(
            &refused,
            Ending::Failed,
            "TOPIC_ALREADY_EXISTS: topic t: Topic 't' already exists.",
            "--if-not-exists",
        );
        let after = Duration::from_secs(5);
        let timeout = Error::Timeout {
            what: "listing topics",
            after,
            last: None,
        };
        check(
            &timeout,
            Ending::Unreachable,
            "listing topics took more than 5000 ms",
            "",
        );
    }

    #[test]
    fn live_brokers_are_named() {
        let said = live([0, 2].map(BrokerId).into_iter());
        assert_eq!(
            said,
            "live brokers: 0, 2.  Start more, or use --replication-factor 2 or less"
        );
    }
}
