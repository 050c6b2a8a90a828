//! Every setting once, in one table: parsing, defaults, validation, documentation.
//!
//! [`table`] is the truth. [`load()`] merges default, file, environment and overrides into
//! [`Effective`], which remembers where each value came from; [`BrokerSettings`] and
//! [`TopicSettings`] are the typed views that the broker reads. Nothing here touches a socket,
//! a clock or ZooKeeper; values from there come in as one more [`Source`].
#![forbid(unsafe_code)]

pub mod broker;
pub mod describe;
mod document;
mod effective;
mod environment;
mod listener;
mod load;
mod problem;
mod properties;
mod setting;
mod source;
mod spelling;
pub mod table;
mod toml_file;
pub mod topic;
mod value;
mod zookeeper;

pub use broker::BrokerSettings;
pub use document::markdown;
pub use effective::{Assigned, Effective};
pub use listener::{Endpoint, Listeners};
pub use load::{Inputs, Loaded, SettingsFile, load};
pub use problem::{Problem, Problems, Warning};
pub use setting::{Baseline, Dynamic, Importance, Kind, Setting, Support, Unit};
pub use source::Source;
pub use topic::{TopicSetting, TopicSettings};
pub use zookeeper::ConnectString;
