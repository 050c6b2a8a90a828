//! `topic list`: names, sizes, and what is about to go.

use barnabas_client::TopicDescription;
use serde_json::{Value, json};

use crate::cli::caller::Caller;
use crate::cli::ending::{Ending, Failure};
use crate::cli::explain;
use crate::cli::table::Table;

pub(crate) async fn run(caller: &Caller) -> Result<Ending, Failure> {
    let client = caller.connect(&[]).await?;
    let listed = caller.within(async {
        let listed = client.admin().list_topics().await;
        listed.map_err(|error| explain::error(caller, &error))
    });
    let topics = listed.await?;
    if caller.wants_json() {
        caller.print_json(&topics.iter().map(document).collect())?;
    } else if topics.is_empty() {
        caller.note("no topics yet: `barnabas topic create NAME` makes one");
    } else if caller.is_quiet() {
        caller.print(
            &topics
                .iter()
                .map(|topic| format!("{}\n", topic.name))
                .collect::<String>(),
        )?;
    } else {
        caller.print(&table(&topics).to_string())?;
    }
    Ok(Ending::Done)
}

fn table(topics: &[TopicDescription]) -> Table {
    let mut table = Table::new(&["TOPIC", "PARTITIONS", "REPLICAS", "NOTE"]);
    for description in topics {
        table.row([
            description.name.to_string(),
            description.topic.partitions.len().to_string(),
            replicas(description),
            notes(description).join(", "),
        ]);
    }
    table
}

/// How many replicas each partition has; the fewest and the most while that differs.
pub(super) fn replicas(description: &TopicDescription) -> String {
    let counts = || {
        description
            .topic
            .partitions
            .iter()
            .map(|partition| partition.replicas.len())
    };
    match (counts().min(), counts().max()) {
        (Some(fewest), Some(most)) if fewest < most => format!("{fewest}-{most}"),
        (fewest, _) => fewest.unwrap_or(0).to_string(),
    }
}

/// What is out of the ordinary about a topic.
pub(super) fn notes(description: &TopicDescription) -> Vec<&'static str> {
    let topic = &description.topic;
    let without_leader = topic
        .partitions
        .iter()
        .any(|partition| partition.leader.is_none());
    [
        (topic.is_marked_for_deletion, "marked for deletion"),
        (topic.is_internal, "internal"),
        (without_leader, "partitions without a leader"),
    ]
    .into_iter()
    .filter_map(|(holds, note)| holds.then_some(note))
    .collect()
}

fn document(description: &TopicDescription) -> Value {
    json!({
        "topic": description.name.as_str(),
        "partitions": description.topic.partitions.len(),
        "replicas": description.topic.partitions.first().map_or(0, |first| first.replicas.len()),
        "internal": description.topic.is_internal,
        "markedForDeletion": description.topic.is_marked_for_deletion,
    })
}

#[cfg(test)]
mod tests {
    use barnabas_client::{BrokerId, LeaderEpoch, Partition, Topic};
    use expect_test::expect;

    use super::*;

    fn topic(name: &str, replicas: &[&[i32]], is_marked: bool) -> TopicDescription {
        let ids = |ids: &[i32]| ids.iter().map(|&id| BrokerId(id)).collect::<Vec<_>>();
        let partition = |(index, replicas): (i32, &&[i32])| Partition {
            index,
            leader: replicas.first().map(|&id| BrokerId(id)),
            leader_epoch: LeaderEpoch(0),
            replicas: ids(replicas),
            isr: ids(replicas),
            offline: vec![],
        };
        TopicDescription {
            name: name.into(),
            topic: Topic {
                partitions: (0..).zip(replicas).map(partition).collect(),
                is_marked_for_deletion: is_marked,
                ..Topic::default()
            },
        }
    }

    /// S18: a marker that stands is shown.
    #[test]
    fn a_marked_topic_is_listed_as_marked() {
        let topics = [
            topic("kept", &[&[0]], true),
            topic("orders", &[&[0, 1], &[1, 2]], false),
        ];
        expect![[r"
            TOPIC   PARTITIONS  REPLICAS  NOTE
            kept             1         1  marked for deletion
            orders           2         2
        "]]
        .assert_eq(&table(&topics).to_string());
        assert_eq!(document(&topics[0])["markedForDeletion"], true);
        assert_eq!(document(&topics[1])["markedForDeletion"], false);
    }

    #[test]
    fn odd_topics_are_told_apart() {
        let moving = topic("moving", &[&[0, 1], &[1]], false);
        assert_eq!(replicas(&moving), "1-2");
        let headless = topic("headless", &[&[]], false);
        assert_eq!(notes(&headless), ["partitions without a leader"]);
    }
}
