//! What every znode type tells about itself.

use crate::json::DecodeError;
use crate::operation::{CreateMode, Expected, ZkRead, ZkWrite};
use crate::path::ZkPath;

/// Who writes or watches a znode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Every broker, for itself.
    Broker,
    /// The active controller, fenced by `/controller_epoch`.
    Controller,
    /// The leader of the partition concerned.
    Leader,
    /// Whoever administers: a broker on behalf of a request, or a tool with its own session.
    Admin,
    /// A consumer of the 0.8 generation.
    Consumer,
}

/// A znode as a type: where it is, what is in it, and whose it is.
pub trait Znode {
    /// What is in it; `()` where it has no data.
    type Payload;
    /// How it is created.
    const MODE: CreateMode;
    /// Who writes it.
    const WRITERS: &'static [Role];
    /// Who is told of its changes. Empty: nobody.
    const WATCHERS: &'static [Role];

    /// Where it is.
    fn path(&self) -> ZkPath;

    /// The bytes that Kafka 2.6 would write.
    fn encode(payload: &Self::Payload) -> Vec<u8>;

    /// What the bytes say, whichever Kafka from 0.8 to 3.9 wrote them. Unknown fields are ignored.
    ///
    /// # Errors
    /// [`DecodeError`] if a field without which the znode means nothing is missing or malformed.
    fn decode(data: &[u8]) -> Result<Self::Payload, DecodeError>;

    /// The question for its data.
    fn read(&self) -> ZkRead {
        ZkRead::Data(self.path())
    }

    /// Its creation.
    fn create(&self, payload: &Self::Payload) -> ZkWrite {
        ZkWrite::Create {
            path: self.path(),
            data: Self::encode(payload),
            mode: Self::MODE,
        }
    }

    /// Its replacement.
    fn set(&self, payload: &Self::Payload, expected: Expected) -> ZkWrite {
        ZkWrite::Set {
            path: self.path(),
            data: Self::encode(payload),
            expected,
        }
    }

    /// Its removal.
    fn delete(&self, expected: Expected) -> ZkWrite {
        ZkWrite::Delete {
            path: self.path(),
            expected,
        }
    }
}

/// The znodes that every broker makes sure of at its start, persistent and without data, in this
/// order; parents are created on the way. Source: kafka 2.8 `zk/ZkData.scala`.
pub const PERSISTENT_PATHS: [&str; 14] = [
    "/consumers",
    "/brokers/ids",
    "/brokers/topics",
    "/config/changes",
    "/admin/delete_topics",
    "/brokers/seqid",
    "/isr_change_notification",
    "/latest_producer_id_block",
    "/log_dir_event_notification",
    "/config/topics",
    "/config/clients",
    "/config/users",
    "/config/brokers",
    "/config/ips",
];

/// Implements [`Znode`] for a znode without data.
macro_rules! empty_znode {
    ($type:ty, $mode:expr, $writers:expr, $watchers:expr, |$this:ident| $path:expr) => {
        impl crate::Znode for $type {
            type Payload = ();
            const MODE: crate::CreateMode = $mode;
            const WRITERS: &'static [crate::Role] = $writers;
            const WATCHERS: &'static [crate::Role] = $watchers;

            fn path(&self) -> crate::ZkPath {
                let $this = self;
                $path
            }

            fn encode(&(): &()) -> Vec<u8> {
                Vec::new()
            }

            fn decode(_: &[u8]) -> Result<(), crate::DecodeError> {
                Ok(())
            }
        }
    };
}
pub(crate) use empty_znode;
