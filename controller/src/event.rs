//! What has happened outside.

use barnabas_wire::id::BrokerId;
use barnabas_zk_schema::{Outcome, SessionId, ZkPath};

use crate::call::Call;
use crate::request::ControlReply;
use crate::{BatchId, CallId, RequestId};

/// Something that happened outside the controller. Every broker feeds its controller all of these,
/// whether it is the active one or not.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A session is there **and this broker is registered in it** under `/brokers/ids`. Ends
    /// whatever an earlier session had; an election follows.
    SessionEstablished {
        /// Its id.
        session: SessionId,
        /// The wall clock, ms since the Unix epoch, for the timestamp in `/controller`.
        wall_clock_ms: i64,
    },
    /// The connection or the lease is lost; the session may live on. Nothing is begun until
    /// [`Self::SessionResumed`].
    SessionSuspended,
    /// The same session answers again. Everything watched is read again.
    SessionResumed,
    /// The session is over: an active controller resigns at once. Outstanding batches are forgotten.
    SessionExpired,
    /// Something happened at these paths.
    ZnodesChanged(Vec<ZkPath>),
    /// Anything may have happened at or below these watched paths.
    ZnodesUncertain(Vec<ZkPath>),
    /// ZooKeeper answered a batch: one outcome for each operation, in their order.
    ZkReplied {
        /// Which batch.
        batch: BatchId,
        /// How each operation ended.
        outcomes: Vec<Outcome>,
    },
    /// A broker answered a request.
    BrokerReplied {
        /// Which broker.
        broker: BrokerId,
        /// Which request.
        request: RequestId,
        /// What it said.
        reply: ControlReply,
    },
    /// A request got no answer: connection refused, lost or timed out. It is sent again after a
    /// back-off, for as long as the broker is registered.
    RequestFailed {
        /// Which broker.
        broker: BrokerId,
        /// Which request.
        request: RequestId,
    },
    /// A handler of this broker wants something of the controller.
    Called {
        /// Named by the caller's side.
        id: CallId,
        /// What is wanted.
        call: Call,
    },
    /// The time given by [`Controller::next_deadline`](crate::Controller::next_deadline) has come.
    /// Harmless when it has not.
    TimeReached,
}
