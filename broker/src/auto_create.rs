//! Topics that are created because somebody asked for them (`auto.create.topics.enable`, S19).
//!
//! The active controller places and writes them as it does for `CreateTopics`; this broker asks its own
//! controller if that is the active one, and the active one over the wire otherwise. Source: kafka 2.8
//! server/AutoTopicCreationManager.scala.

use std::collections::BTreeSet;

use barnabas_controller::call::{Answer, Call, NewTopic, Placement};
use barnabas_wire::message::CreateTopicsRequest;
use barnabas_wire::message::create_topics::CreatableTopic;
use barnabas_wire::{ErrorCode, Str};
use barnabas_zk_schema::topic_name;
use parking_lot::Mutex;
use tracing::{debug, info};

use crate::api::topic_code;
use crate::node::Node;

/// Topics that may be under creation at a time; for those beyond, clients ask again later.
const UNDER_WAY_MAX: usize = 1_000;

/// `CreateTopics` as Kafka brokers of protocol 2.6 take it.
const CREATE_TOPICS_VERSION: i16 = 4;

/// Names whose creation is under way.
#[derive(Debug, Default)]
pub struct UnderWay(Mutex<BTreeSet<Str>>);

/// What became of the creation of one topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Creation {
    /// It exists; its leader may still be unknown here.
    Done,
    /// Somebody else asked for it a moment ago, or too many are asked for.
    UnderWay,
    /// It was refused.
    Refused(ErrorCode),
}

/// Creates these topics with the broker's defaults.
pub(crate) async fn create(node: &Node, names: Vec<Str>) -> Vec<(Str, Creation)> {
    let mut results = Vec::new();
    let mut wanted = Vec::new();
    for name in names {
        if topic_name::validate(&name).is_err() {
            results.push((name, Creation::Refused(ErrorCode::InvalidTopicException)));
        } else if node.auto_creations.begin(&name) {
            wanted.push(name);
        } else {
            results.push((name, Creation::UnderWay));
        }
    }
    if wanted.is_empty() {
        return results;
    }
    info!(topics = ?wanted, "creating topics that were asked for");
    let created = if node.controller.is_active() {
        create_here(node, &wanted).await
    } else {
        create_there(node, &wanted).await
    };
    node.auto_creations.end(&wanted);
    results.extend(created);
    results
}

async fn create_here(node: &Node, names: &[Str]) -> Vec<(Str, Creation)> {
    let topic = |name: &Str| NewTopic {
        name: name.as_str().to_owned(),
        placement: Placement::Counts {
            partitions: None,
            replication_factor: None,
        },
        config: barnabas_zk_schema::config::ConfigValues::new(),
    };
    let call = Call::CreateTopics {
        topics: names.iter().map(topic).collect(),
        validate_only: false,
        random: crate::chance::random(),
    };
    match node.controller.call(call).await {
        Answer::Placed(placed) => placed
            .into_iter()
            .map(|(name, result)| {
                let code = result
                    .err()
                    .map_or(ErrorCode::None, |error| topic_code(&error));
                (Str::from(name), creation(code))
            })
            .collect(),
        Answer::Refused(error) => {
            debug!(%error, "the controller did not create topics that were asked for");
            under_way(names)
        }
        Answer::Marked(_) | Answer::Remaining(_) => under_way(names),
    }
}

async fn create_there(node: &Node, names: &[Str]) -> Vec<(Str, Creation)> {
    let Some((host, port)) = node.controller_address() else {
        return under_way(names);
    };
    let topic = |name: &Str| CreatableTopic {
        name: name.clone(),
        num_partitions: node.settings.topics.partitions,
        replication_factor: node.settings.topics.replication_factor,
        ..CreatableTopic::default()
    };
    let request = CreateTopicsRequest {
        topics: names.iter().map(topic).collect(),
        timeout_ms: i32::try_from(node.settings.network.request_timeout_ms).unwrap_or(i32::MAX),
        validate_only: false,
    };
    match node
        .asker
        .ask_once((&host, port), CREATE_TOPICS_VERSION, &request)
        .await
    {
        Ok(response) => response
            .topics
            .into_iter()
            .map(|topic| (topic.name, creation(ErrorCode::from_code(topic.error_code))))
            .collect(),
        Err(error) => {
            debug!(%error, "the controller did not answer about topics that were asked for");
            under_way(names)
        }
    }
}

fn creation(code: ErrorCode) -> Creation {
    const DONE: [ErrorCode; 3] = [
        ErrorCode::None,
        ErrorCode::TopicAlreadyExists,
        ErrorCode::RequestTimedOut,
    ];
    if DONE.contains(&code) {
        Creation::Done
    } else if code == ErrorCode::NotController {
        // The client asks again, and finds the next controller.
        Creation::UnderWay
    } else {
        Creation::Refused(code)
    }
}

fn under_way(names: &[Str]) -> Vec<(Str, Creation)> {
    names
        .iter()
        .map(|name| (name.clone(), Creation::UnderWay))
        .collect()
}

impl UnderWay {
    fn begin(&self, name: &Str) -> bool {
        let mut names = self.0.lock();
        names.len() < UNDER_WAY_MAX && names.insert(name.clone())
    }

    fn end(&self, ended: &[Str]) {
        let mut names = self.0.lock();
        for name in ended {
            names.remove(name);
        }
    }
}
