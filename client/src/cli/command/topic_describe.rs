//! `topic describe`: partitions, leaders, replicas, offsets and own settings of topics.

use std::collections::BTreeMap;

use barnabas_client::{
    BrokerId, Client, ConfigResource, OffsetAt, Partition, PartitionId, TopicDescription,
    TopicPartition,
};
use serde_json::{Value, json};

use crate::cli::args::TopicDescribe;
use crate::cli::caller::Caller;
use crate::cli::ending::{Ending, Failure};
use crate::cli::table::Table;
use crate::cli::{explain, lookup};

use super::topic_list::{notes, replicas};

/// A topic with what the cluster tells about it beyond its partitions.
struct Described {
    description: TopicDescription,
    /// Settings of its own.
    settings: Vec<(String, String)>,
    /// First offset, and the one after the last that can be read, of the partitions that told.
    offsets: BTreeMap<i32, (i64, i64)>,
}

pub(crate) async fn run(caller: &Caller, typed: &TopicDescribe) -> Result<Ending, Failure> {
    let client = caller.connect(&[]).await?;
    let (mut found, mut failures) = (Vec::new(), Vec::new());
    if typed.topics.is_empty() {
        let listed = caller.within(async {
            let listed = client.admin().list_topics().await;
            listed.map_err(|error| explain::error(caller, &error))
        });
        found = listed.await?;
    }
    for name in &typed.topics {
        match caller.within(lookup::topic(caller, &client, name)).await {
            Ok(description) => found.push(description),
            Err(failure) if failure.ending == Ending::Unreachable => return Err(failure),
            Err(failure) => failures.push(failure),
        }
    }
    let mut described = Vec::new();
    for description in found {
        described.push(ask(caller, &client, description).await);
    }
    if caller.wants_json() {
        caller.print_json(&described.iter().map(Described::document).collect())?;
    } else {
        let sections: Vec<String> = described.iter().map(Described::text).collect();
        caller.print(&sections.join("\n"))?;
    }
    if described.is_empty() && failures.is_empty() {
        caller.note("no topics yet: `barnabas topic create NAME` makes one");
    }
    if let ([failure], true) = (failures.as_slice(), described.is_empty()) {
        return Err(failure.clone());
    }
    for failure in &failures {
        failure.report();
    }
    Ok(Ending::of_many(
        failures.len(),
        failures.len() + described.len(),
    ))
}

/// Asks for what is worth knowing and may be missing: then it is left out.
async fn ask(caller: &Caller, client: &Client, description: TopicDescription) -> Described {
    let admin = client.admin();
    let name = description.name.as_str();
    let settings = async { Ok(admin.describe_configs(ConfigResource::Topic(name)).await) };
    let settings = caller
        .within(settings)
        .await
        .ok()
        .and_then(Result::ok)
        .unwrap_or_default();
    let own = settings
        .into_iter()
        .filter(barnabas_client::ConfigEntry::is_from_topic);
    let led = description
        .topic
        .partitions
        .iter()
        .filter(|partition| partition.leader.is_some());
    let led: Vec<TopicPartition> = led
        .map(|partition| TopicPartition::new(name, PartitionId(partition.index)))
        .collect();
    let offsets = async {
        let start = admin.list_offsets(&led, OffsetAt::Start).await?;
        Ok((start, admin.list_offsets(&led, OffsetAt::End).await?))
    };
    let offsets = caller.within(async {
        let offsets: barnabas_client::Result<_> = offsets.await;
        offsets.map_err(|error| explain::error(caller, &error))
    });
    let mut known = BTreeMap::new();
    match offsets.await {
        Ok((starts, ends)) => {
            for (partition, start) in starts {
                if let (Some(start), Some(Some(end))) = (start, ends.get(&partition)) {
                    known.insert(partition.partition.0, (start.offset, end.offset));
                }
            }
        }
        Err(failure) => caller.note(&format!("the offsets of {name} are not known: {failure}")),
    }
    Described {
        settings: own
            .map(|entry| (entry.name, entry.value.unwrap_or_default()))
            .collect(),
        offsets: known,
        description,
    }
}

/// Broker ids with commas.
pub(super) fn ids(ids: &[BrokerId]) -> String {
    ids.iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(",")
}

impl Described {
    fn text(&self) -> String {
        let topic = &self.description.topic;
        let (count, replicas) = (topic.partitions.len(), replicas(&self.description));
        let plural = |one: bool| if one { "" } else { "s" };
        let mut head = vec![format!(
            "{}  {count} partition{}, {replicas} replica{} each",
            self.description.name,
            plural(count == 1),
            plural(replicas == "1"),
        )];
        head.extend(
            self.settings
                .iter()
                .map(|(key, value)| format!("{key}={value}")),
        );
        head.extend(notes(&self.description).into_iter().map(str::to_owned));
        let heads = [
            "PARTITION",
            "LEADER",
            "EPOCH",
            "REPLICAS",
            "ISR",
            "START",
            "END",
            "NOTE",
        ];
        let mut table = Table::new(&heads);
        for partition in &topic.partitions {
            let offsets = self.offsets.get(&partition.index);
            let offset = |offset: Option<i64>| offset.map_or("-".to_owned(), |at| at.to_string());
            table.row([
                partition.index.to_string(),
                partition
                    .leader
                    .map_or("none".to_owned(), |id| id.to_string()),
                partition.leader_epoch.to_string(),
                ids(&partition.replicas),
                ids(&partition.isr),
                offset(offsets.map(|offsets| offsets.0)),
                offset(offsets.map(|offsets| offsets.1)),
                note(partition),
            ]);
        }
        format!("{}\n{table}", head.join("  "))
    }

    fn document(&self) -> Value {
        let numbers = |ids: &[BrokerId]| ids.iter().map(|id| id.0).collect::<Vec<_>>();
        let partition = |partition: &Partition| {
            let offsets = self.offsets.get(&partition.index);
            json!({
                "partition": partition.index,
                "leader": partition.leader.map(|id| id.0),
                "leaderEpoch": partition.leader_epoch.0,
                "replicas": numbers(&partition.replicas),
                "isr": numbers(&partition.isr),
                "offlineReplicas": numbers(&partition.offline),
                "logStartOffset": offsets.map(|offsets| offsets.0),
                "highWatermark": offsets.map(|offsets| offsets.1),
            })
        };
        let topic = &self.description.topic;
        json!({
            "topic": self.description.name.as_str(),
            "internal": topic.is_internal,
            "markedForDeletion": topic.is_marked_for_deletion,
            "configs": self.settings.iter().cloned().collect::<BTreeMap<_, _>>(),
            "partitions": topic.partitions.iter().map(partition).collect::<Vec<_>>(),
        })
    }
}

/// What keeps a partition from being as it should.
fn note(partition: &Partition) -> String {
    let lagging: Vec<BrokerId> = partition
        .replicas
        .iter()
        .filter(|id| !partition.isr.contains(id))
        .copied()
        .collect();
    let mut notes = Vec::new();
    if partition.leader.is_none() {
        notes.push("no leader: neither written nor read".to_owned());
    }
    if !lagging.is_empty() {
        notes.push(format!("not in sync: {}", ids(&lagging)));
    }
    if let (Some(leader), Some(preferred)) = (partition.leader, partition.replicas.first())
        && leader != *preferred
    {
        notes.push(format!("preferred leader: {preferred}"));
    }
    notes.join("; ")
}

#[cfg(test)]
mod tests {
    use barnabas_client::{LeaderEpoch, Topic};
    use expect_test::expect;

    use super::*;

    fn partition(index: i32, leader: Option<i32>, isr: &[i32]) -> Partition {
        let ids = |ids: &[i32]| ids.iter().map(|&id| BrokerId(id)).collect::<Vec<_>>();
        Partition {
            index,
            leader: leader.map(BrokerId),
            leader_epoch: LeaderEpoch(4),
            replicas: ids(&[1, 2, 3]),
            isr: ids(isr),
            offline: vec![],
        }
    }

    fn orders() -> Described {
        let partitions = vec![
            partition(0, Some(1), &[1, 2, 3]),
            partition(1, Some(2), &[2, 1]),
            partition(2, None, &[]),
        ];
        Described {
            description: TopicDescription {
                name: "orders".into(),
                topic: Topic {
                    partitions,
                    ..Topic::default()
                },
            },
            settings: vec![("min.insync.replicas".to_owned(), "2".to_owned())],
            offsets: [(0, (0, 104_233)), (1, (20, 99_871))].into(),
        }
    }

    #[test]
    fn a_topic_is_shown_with_what_is_wrong_with_it() {
        expect![[r"
            orders  3 partitions, 3 replicas each  min.insync.replicas=2  partitions without a leader
            PARTITION  LEADER  EPOCH  REPLICAS  ISR    START     END  NOTE
                    0  1           4  1,2,3     1,2,3      0  104233
                    1  2           4  1,2,3     2,1       20   99871  not in sync: 3; preferred leader: 1
                    2  none        4  1,2,3                -       -  no leader: neither written nor read; not in sync: 1,2,3
        "]]
        .assert_eq(&orders().text());
    }

    #[test]
    fn a_script_gets_kafkas_names() {
        let document = orders().document();
        assert_eq!(document["configs"]["min.insync.replicas"], "2");
        assert_eq!(document["partitions"][1]["highWatermark"], 99_871);
        assert_eq!(document["partitions"][2]["leader"], Value::Null);
        assert_eq!(document["partitions"][2]["replicas"], json!([1, 2, 3]));
    }
}
