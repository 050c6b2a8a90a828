//! `topic create`: asks the controller for topics, and shows where it put them.

use std::collections::BTreeSet;
use std::time::Duration;

use barnabas_client::{Client, ConfigResource, ErrorCode, NewTopic, TopicDescription};

use crate::cli::args::{Placement, TopicCreate};
use crate::cli::assignment::Assignment;
use crate::cli::caller::Caller;
use crate::cli::ending::{Ending, Failure};
use crate::cli::explain;
use crate::cli::status::{self, Status};
use crate::cli::table::Table;

/// How often to look whether every partition has its leader.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// How often to look at most: then what is there is shown.
const LOOKS_MAX: usize = 40;

pub(crate) async fn run(caller: &Caller, typed: &TopicCreate) -> Result<Ending, Failure> {
    refuse_doubles(&typed.topics)?;
    let client = caller.connect(&[]).await?;
    let statuses = caller.within(create(caller, &client, typed)).await?;
    let ending = status::report(caller, &["PARTITIONS", "REPLICAS"], &statuses)?;
    if let (
        [
            Status {
                topic,
                outcome: Ok("created"),
                ..
            },
        ],
        false,
        false,
    ) = (statuses.as_slice(), caller.is_quiet(), caller.wants_json())
    {
        caller
            .within(show_placement(caller, &client, topic))
            .await?;
    }
    Ok(ending)
}

/// A name that was typed twice is a slip, which the cluster would answer with a riddle.
pub(super) fn refuse_doubles(topics: &[String]) -> Result<(), Failure> {
    let mut seen = BTreeSet::new();
    match topics.iter().find(|topic| !seen.insert(topic.as_str())) {
        Some(double) => Err(Failure::usage(format!("'{double}' is named twice"))),
        None => Ok(()),
    }
}

async fn create(
    caller: &Caller,
    client: &Client,
    typed: &TopicCreate,
) -> Result<Vec<Status>, Failure> {
    let assignment = assignment(caller, client, typed).await?;
    let topic = |name: &String| {
        let mut topic = NewTopic::new(name);
        if let Some(count) = typed.partitions {
            topic = topic.partitions(count);
        }
        if let Some(factor) = typed.replication_factor {
            topic = topic.replication_factor(factor);
        }
        if let Some(Assignment(replicas)) = &assignment {
            topic = topic.assignment(replicas.clone());
        }
        for (key, value) in &typed.config {
            topic = topic.config(key, value);
        }
        topic
    };
    let topics: Vec<NewTopic> = typed.topics.iter().map(topic).collect();
    let created = client.admin().create_topics(&topics, typed.dry_run).await;
    let created = created.map_err(|error| explain::error(caller, &error))?;
    let mut statuses = Vec::new();
    for (name, result) in typed.topics.iter().zip(created) {
        let counts = result.as_ref().ok();
        let partitions = counts
            .and_then(|counts| counts.partitions)
            .or(typed.partitions);
        let replicas = counts.and_then(|counts| counts.replication_factor);
        let cell = |count: Option<String>| count.unwrap_or_else(|| "-".to_owned());
        let cells = vec![
            cell(partitions.map(|count| count.to_string())),
            cell(
                replicas
                    .or(typed.replication_factor)
                    .map(|count| count.to_string()),
            ),
        ];
        let outcome = match result {
            Ok(_) if typed.dry_run => Ok("could create"),
            Ok(_) => Ok("created"),
            Err(error)
                if typed.if_not_exists && error.code() == Some(ErrorCode::TopicAlreadyExists) =>
            {
                Ok("there already:")
            }
            Err(error) => Err(explain::about_topic(caller, client, name, &error).await),
        };
        statuses.push(Status {
            topic: name.clone(),
            cells,
            outcome,
        });
    }
    Ok(statuses)
}

/// What was typed, or the ring over the brokers that live now. None leaves it to the controller.
async fn assignment(
    caller: &Caller,
    client: &Client,
    typed: &TopicCreate,
) -> Result<Option<Assignment>, Failure> {
    if typed.replica_assignment.is_some() || typed.placement == Placement::Controller {
        return Ok(typed.replica_assignment.clone());
    }
    let cluster = client.admin().describe_cluster().await;
    let cluster = cluster.map_err(|error| explain::error(caller, &error))?;
    let live: BTreeSet<_> = cluster.brokers.iter().map(|broker| broker.id).collect();
    let Some(answers) = cluster.controller_id.or_else(|| live.first().copied()) else {
        return Err(Failure::kafka(
            ErrorCode::BrokerNotAvailable,
            "no broker is registered",
        ));
    };
    let (mut partitions, mut factor) = (typed.partitions, typed.replication_factor);
    if partitions.is_none() || factor.is_none() {
        let settings = client
            .admin()
            .describe_configs(ConfigResource::Broker(answers))
            .await;
        let settings = settings.map_err(|error| explain::error(caller, &error))?;
        let number = |key: &str| {
            let entry = settings.iter().find(|entry| entry.name == key)?;
            entry.value.as_deref()?.parse::<i32>().ok()
        };
        partitions = partitions.or_else(|| number("num.partitions"));
        factor = factor.or_else(|| number("default.replication.factor")?.try_into().ok());
    }
    let (Some(partitions), Some(factor)) = (partitions, factor) else {
        return Err(
            Failure::usage(format!("broker {answers} does not tell its defaults"))
                .hint("give --partitions and --replication-factor"),
        );
    };
    ring(&live, partitions, factor).map(Some)
}

/// The ring, if what was asked for can be placed at all.
fn ring(
    live: &BTreeSet<barnabas_client::BrokerId>,
    partitions: i32,
    factor: i16,
) -> Result<Assignment, Failure> {
    let partitions = usize::try_from(partitions).ok().filter(|&count| count > 0);
    let Some(partitions) = partitions else {
        return Err(Failure::kafka(
            ErrorCode::InvalidPartitions,
            "a topic has 1 partition or more",
        ));
    };
    match usize::try_from(factor) {
        Ok(replicas) if (1..=live.len()).contains(&replicas) => {
            Ok(Assignment::ring(live, partitions, replicas))
        }
        Ok(_) | Err(_) => {
            let message = format!(
                "cannot place {factor} replicas on {} live brokers",
                live.len()
            );
            Err(Failure::kafka(ErrorCode::InvalidReplicationFactor, message)
                .hint(explain::live(live.iter().copied())))
        }
    }
}

async fn show_placement(caller: &Caller, client: &Client, topic: &str) -> Result<(), Failure> {
    let mut looks = 0;
    loop {
        let described = client.admin().describe_topics(&[topic]).await;
        looks += 1;
        match described.ok().and_then(|mut all| all.pop()?.ok()) {
            Some(found) if is_led(&found) || looks == LOOKS_MAX => {
                return caller.print(&placement(&found).to_string());
            }
            _ if looks == LOOKS_MAX => {
                caller.note("its partitions are not known to every broker yet");
                return Ok(());
            }
            _ => tokio::time::sleep(LOOK_EVERY).await,
        }
    }
}

fn is_led(description: &TopicDescription) -> bool {
    let partitions = &description.topic.partitions;
    !partitions.is_empty()
        && partitions
            .iter()
            .all(|partition| partition.leader.is_some())
}

fn placement(description: &TopicDescription) -> Table {
    let mut table = Table::new(&["PARTITION", "LEADER", "REPLICAS"]);
    for partition in &description.topic.partitions {
        table.row([
            partition.index.to_string(),
            partition
                .leader
                .map_or("none".to_owned(), |id| id.to_string()),
            super::topic_describe::ids(&partition.replicas),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use barnabas_client::BrokerId;

    use super::*;

    #[track_caller]
    fn check(partitions: i32, factor: i16, expected: Result<usize, &str>) {
        let live = [0, 1, 2].map(BrokerId).into();
        let placed = ring(&live, partitions, factor);
        let told = placed.as_ref().map(|placed| placed.0.len());
        assert_eq!(told.map_err(|failure| failure.message.as_str()), expected);
    }

    #[test]
    fn the_ring_is_refused_where_it_cannot_be_closed() {
        check(6, 3, Ok(6));
        check(
            0,
            1,
            Err("INVALID_PARTITIONS: a topic has 1 partition or more"),
        );
        let message = "INVALID_REPLICATION_FACTOR: cannot place 4 replicas on 3 live brokers";
        check(1, 4, Err(message));
        check(
            1,
            0,
            Err("INVALID_REPLICATION_FACTOR: cannot place 0 replicas on 3 live brokers"),
        );
    }

    #[test]
    fn a_name_that_is_typed_twice_is_a_usage_error() {
        let names = |names: &[&str]| {
            names
                .iter()
                .map(|&name| name.to_owned())
                .collect::<Vec<_>>()
        };
        assert!(refuse_doubles(&names(&["a", "b"])).is_ok());
        let failure = refuse_doubles(&names(&["a", "b", "a"])).unwrap_err();
        assert_eq!(
            (failure.ending, failure.message.as_str()),
            (Ending::Usage, "'a' is named twice")
        );
    }
}
