//! What became of each topic of one call.

use super::caller::Caller;
use super::ending::{Ending, Failure, say};
use super::table::Table;

/// What became of one topic.
#[derive(Clone, Debug)]
pub(crate) struct Status {
    /// Its name.
    pub(crate) topic: String,
    /// More about it, in the order of the heads.
    pub(crate) cells: Vec<String>,
    /// A word for what was done, or why it was not.
    pub(crate) outcome: Result<&'static str, Failure>,
}

/// Tells what became of the topics. One alone: in a line, or as the failure itself. Several: in a
/// table under `TOPIC`, `heads` and `STATUS`, with the advice below it.
///
/// # Errors
/// The failure of a topic that stood alone; those of printing.
pub(crate) fn report(
    caller: &Caller,
    heads: &[&str],
    statuses: &[Status],
) -> Result<Ending, Failure> {
    let failures: Vec<&Failure> = statuses
        .iter()
        .filter_map(|status| status.outcome.as_ref().err())
        .collect();
    if caller.wants_json() {
        caller.print_json(&statuses.iter().map(json).collect())?;
    }
    if let [status] = statuses {
        let done = status.outcome.as_ref().map_err(Failure::clone)?;
        if !caller.wants_json() {
            caller.note(&format!("{} topic {}", done, status.topic));
        }
        return Ok(Ending::Done);
    }
    if !caller.wants_json() {
        caller.print(&table(heads, statuses).to_string())?;
    }
    let mut hints: Vec<&str> = failures
        .iter()
        .filter_map(|failure| failure.hint.as_deref())
        .collect();
    hints.sort_unstable();
    hints.dedup();
    for hint in hints {
        say(&format!("  hint: {hint}"));
    }
    Ok(Ending::of_many(failures.len(), statuses.len()))
}

fn table(heads: &[&str], statuses: &[Status]) -> Table {
    let heads: Vec<&str> = ["TOPIC"]
        .into_iter()
        .chain(heads.iter().copied())
        .chain(["STATUS"])
        .collect();
    let mut table = Table::new(&heads);
    for Status {
        topic,
        cells,
        outcome,
    } in statuses
    {
        let word = match outcome {
            Ok(done) => (*done).to_owned(),
            Err(failure) => failure.message.clone(),
        };
        table.row(
            [topic.clone()]
                .into_iter()
                .chain(cells.iter().cloned())
                .chain([word]),
        );
    }
    table
}

fn json(status: &Status) -> serde_json::Value {
    match &status.outcome {
        Ok(done) => serde_json::json!({ "topic": status.topic, "status": done }),
        Err(failure) => serde_json::json!({
            "topic": status.topic,
            "status": "failed",
            "error": failure.code.map(barnabas_client::ErrorCode::name),
            "message": failure.message,
        }),
    }
}

#[cfg(test)]
mod tests {
    use barnabas_client::ErrorCode;
    use expect_test::expect;

    use super::*;

    fn two() -> [Status; 2] {
        let refused = Failure::kafka(
            ErrorCode::TopicAlreadyExists,
            "Topic 'payments' already exists.",
        );
        let status = |topic: &str, outcome| Status {
            topic: topic.to_owned(),
            cells: vec!["12".to_owned()],
            outcome,
        };
        [
            status("orders", Ok("created")),
            status("payments", Err(refused)),
        ]
    }

    #[test]
    fn several_topics_stand_in_a_table() {
        expect![[r"
            TOPIC     PARTITIONS  STATUS
            orders            12  created
            payments          12  TOPIC_ALREADY_EXISTS: Topic 'payments' already exists.
        "]]
        .assert_eq(&table(&["PARTITIONS"], &two()).to_string());
    }

    #[test]
    fn a_script_gets_the_codes_name() {
        let [created, refused] = two().map(|status| json(&status).to_string());
        assert_eq!(created, r#"{"status":"created","topic":"orders"}"#);
        assert!(
            refused.contains(r#""error":"TOPIC_ALREADY_EXISTS""#),
            "{refused}"
        );
    }
}
