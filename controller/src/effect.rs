//! What is to be done outside.

use barnabas_wire::id::{BrokerEpoch, BrokerId, ControllerEpoch};
use barnabas_zk_schema::{ControllerOp, ZkPath};

use crate::call::Answer;
use crate::request::ControlRequest;
use crate::{BatchId, CallId, RequestId};

/// Something the driver must do. Effects of one step are carried out in their order; only
/// [`Effect::Zk`] and [`Effect::Send`] are answered, by events of later steps.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Send these operations to ZooKeeper on the session of the last `SessionEstablished`, in their
    /// order, and answer with [`Event::ZkReplied`](crate::Event::ZkReplied): one outcome each.
    ///
    /// Owed: always an answer, however late ([`Outcome::Unknown`](barnabas_zk_schema::Outcome) where
    /// none came), unless the session expires first; nothing is sent on another session; a write is
    /// never sent a second time. Reads may be joined into `MultiReads`.
    Zk {
        /// Named in the answer.
        batch: BatchId,
        /// What to send.
        ops: Vec<ControllerOp>,
    },
    /// Watch these paths and all below them from now on, across reconnects of the session.
    ///
    /// Owed: the watches stand before any later [`Effect::Zk`] is sent; what they tell comes as
    /// [`Event::ZnodesChanged`](crate::Event::ZnodesChanged), what they may have missed as
    /// [`Event::ZnodesUncertain`](crate::Event::ZnodesUncertain). No answer. Asked for again after
    /// each `SessionEstablished`.
    Watch(Vec<ZkPath>),
    /// Stop watching these paths. No answer; stray events are harmless.
    Unwatch(Vec<ZkPath>),
    /// A broker may be sent requests from now on, at this address on the inter-broker listener.
    ///
    /// Owed: nothing at once; connecting may wait for the first [`Effect::Send`] and failing to is
    /// told by [`Event::RequestFailed`](crate::Event::RequestFailed). For a broker that has a channel
    /// already, the old one is closed first (its answers are ignored).
    Connect {
        /// Which broker; it may be this one.
        broker: BrokerId,
        /// Which of its registrations.
        broker_epoch: BrokerEpoch,
        /// Host name or address.
        host: String,
        /// TCP port.
        port: u16,
    },
    /// Close the channel to a broker and forget what waits on it; no answer.
    Disconnect {
        /// Which broker.
        broker: BrokerId,
    },
    /// Send a request to a broker. At most one is outstanding for each.
    ///
    /// Owed: [`Event::BrokerReplied`](crate::Event::BrokerReplied) or
    /// [`Event::RequestFailed`](crate::Event::RequestFailed), once, unless the channel is closed or
    /// replaced first. No retry: the machine sends again by itself.
    Send {
        /// To whom.
        broker: BrokerId,
        /// Named in the answer.
        request: RequestId,
        /// What to send.
        message: ControlRequest,
    },
    /// Give the caller its answer. Exactly one comes for each
    /// [`Event::Called`](crate::Event::Called).
    ///
    /// A created topic is in ZooKeeper by then but not yet in any broker's metadata: the handler of
    /// the request waits for its own metadata cache, as it does for deletions.
    Answer {
        /// Named by the caller's side.
        id: CallId,
        /// What was done.
        answer: Answer,
    },
    /// For logs, metrics, and whoever wants to know. Nothing is owed.
    Announce(Announcement),
}

/// What an operator and the rest of the broker want to know of the controller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Announcement {
    /// This broker is the active controller.
    Elected {
        /// Its epoch.
        epoch: ControllerEpoch,
    },
    /// This broker is the active controller no longer. Calls that waited have their answers.
    Resigned {
        /// The epoch that it had.
        epoch: ControllerEpoch,
    },
    /// Which broker holds `/controller`, as last read; `None` while nobody does.
    Holder(Option<BrokerId>),
}
