//! The Rust client library for Kafka clusters, and the `barnabas` command line.
//!
//! One [`Client`] keeps the cluster's metadata; producers, consumers and [`Admin`] are made from
//! it. Everything is cheap to clone except a consumer, which one task reads.
//!
//! ```no_run
//! # async fn example() -> barnabas_client::Result<()> {
//! use barnabas_client::{Client, Config, NewTopic, Record};
//!
//! let client = Client::connect(Config::new("localhost:9092").set("compression.type", "lz4")).await?;
//! client.admin().create_topic(NewTopic::new("letters").partitions(3)).await?;
//! let producer = client.producer()?;
//! let delivery = producer.send(Record::to("letters").key("village").value("hello")).await?;
//! println!("at offset {}", delivery.await?.offset);
//! # Ok(())
//! # }
//! ```
//!
//! Property names and their defaults are those of Kafka's Java client; see [`Config`].
#![forbid(unsafe_code)]

mod admin;
mod client;
mod cluster;
mod config;
mod consumer;
mod error;
mod metadata;
mod pool;
mod producer;

pub use admin::{
    Admin, ClusterDescription, ConfigEntry, ConfigResource, CreatedTopic, NewTopic, OffsetAt,
    PartitionOffset, TopicDescription,
};
pub use barnabas_wire::id::{BrokerId, LeaderEpoch, PartitionId, TopicName, TopicPartition};
pub use barnabas_wire::{ErrorCode, record::Compression};
pub use client::Client;
pub use cluster::{Broker, Cluster, Partition, Topic};
pub use config::{Config, ConfigError};
pub use consumer::{Consumer, ConsumerBuilder, Message, MessageHeader, MessageStream, Start};
pub use error::{Error, Result};
pub use producer::{
    Acked, Delivery, Header, Outgoing, Producer, ProducerCounts, Record, TopicProducer,
};
