//! Fetch sessions: the broker remembers what a reader reads, so that neither has to name every
//! partition each time.
//!
//! | request | meaning |
//! |---|---|
//! | id 0 or any, epoch 0 | all partitions are named; a session may be opened |
//! | id N, epoch 1, 2, ... | changes against the last request of session N; the answer leaves out what has no news |
//! | epoch -1 | all partitions are named; no session, and session N ends |
//!
//! Bounded by `max.incremental.fetch.session.cache.slots` sessions of at most
//! [`SESSION_PARTITIONS_MAX`] partitions. When all slots are taken, a session that was idle for two
//! minutes makes room; else the reader goes on without one. Source: KIP-227; `FetchSession.scala` of
//! Kafka 2.8.

mod session;

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;

pub use session::{News, Session, SessionKey, Wanted};

/// Partitions of one session. A reader of more goes without a session.
pub const SESSION_PARTITIONS_MAX: usize = 100_000;

/// A session that was idle for so long makes room for another one when all slots are taken, in ms.
pub const SESSION_IDLE_MAX_MS: i64 = 120_000;

/// The epoch that opens a session.
const OPENING_EPOCH: i32 = 0;

/// The epoch of a request without a session.
const FINAL_EPOCH: i32 = -1;

/// What the request says of its session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionHeader {
    /// The session, or 0.
    pub id: i32,
    /// Counts its requests.
    pub epoch: i32,
}

/// Why a request is refused as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SessionRefusal {
    /// There is no such session (any more): the reader opens another one.
    #[error("there is no fetch session {id}")]
    NotFound {
        /// The session asked for.
        id: i32,
    },
    /// The request does not follow the last one.
    #[error("fetch session {id} is at epoch {expected}, the request at {received}")]
    WrongEpoch {
        /// The session.
        id: i32,
        /// The epoch that would follow.
        expected: i32,
        /// The epoch received.
        received: i32,
    },
}

/// How a request is to be answered.
#[derive(Clone, Debug)]
pub enum FetchContext {
    /// All that is named, without a session.
    Sessionless,
    /// All that is named; the answer may open a session.
    Opening,
    /// The news of this session.
    Incremental {
        /// Its id.
        id: i32,
        /// The session.
        session: Arc<Mutex<Session>>,
        /// The epoch it has after this request: if it has another one when the answer is made, the
        /// reader has sent more meanwhile, and this answer would confuse it.
        expected_epoch: i32,
    },
}

/// All sessions of the broker.
#[derive(Debug)]
pub struct FetchSessions {
    slots_max: usize,
    sessions: Mutex<BTreeMap<i32, Arc<Mutex<Session>>>>,
}

impl FetchSessions {
    /// No sessions, and room for `slots_max`.
    #[must_use]
    pub fn new(slots_max: usize) -> Self {
        Self {
            slots_max,
            sessions: Mutex::default(),
        }
    }

    /// Takes a request in: changes its session as it says, and tells how it is to be answered.
    ///
    /// # Errors
    /// [`SessionRefusal`].
    pub fn begin(
        &self,
        header: SessionHeader,
        named: &[(SessionKey, Wanted)],
        forgotten: &[SessionKey],
        now_ms: i64,
    ) -> Result<FetchContext, SessionRefusal> {
        let SessionHeader { id, epoch } = header;
        match epoch {
            FINAL_EPOCH => {
                self.sessions.lock().remove(&id);
                Ok(FetchContext::Sessionless)
            }
            OPENING_EPOCH => {
                self.sessions.lock().remove(&id);
                Ok(FetchContext::Opening)
            }
            received => {
                let session = self.sessions.lock().get(&id).cloned();
                let session = session.ok_or(SessionRefusal::NotFound { id })?;
                let mut locked = session.lock();
                let expected = locked.epoch();
                if received != expected {
                    return Err(SessionRefusal::WrongEpoch {
                        id,
                        expected,
                        received,
                    });
                }
                locked.change(named, forgotten);
                if locked.is_empty() || locked.partition_count() > SESSION_PARTITIONS_MAX {
                    drop(locked);
                    self.sessions.lock().remove(&id);
                    return Ok(FetchContext::Sessionless);
                }
                let expected_epoch = locked.advance(now_ms);
                drop(locked);
                Ok(FetchContext::Incremental {
                    id,
                    session,
                    expected_epoch,
                })
            }
        }
    }

    /// Opens a session for what was just read, if there is room; returns its id, or 0. `random` gives
    /// candidates for the id.
    pub fn open(
        &self,
        partitions: impl IntoIterator<Item = (SessionKey, Wanted, News)>,
        now_ms: i64,
        mut random: impl FnMut() -> i32,
    ) -> i32 {
        let session = Session::new(partitions, now_ms);
        if session.is_empty() || session.partition_count() > SESSION_PARTITIONS_MAX {
            return 0;
        }
        let mut sessions = self.sessions.lock();
        if sessions.len() >= self.slots_max && !make_room(&mut sessions, now_ms) {
            return 0;
        }
        loop {
            let id = random().saturating_abs();
            if id != 0 && !sessions.contains_key(&id) {
                sessions.insert(id, Arc::new(Mutex::new(session)));
                return id;
            }
        }
    }

    /// Sessions that are open.
    #[must_use]
    pub fn count(&self) -> usize {
        self.sessions.lock().len()
    }
}

/// Ends the session that was idle longest, if that was long enough.
fn make_room(sessions: &mut BTreeMap<i32, Arc<Mutex<Session>>>, now_ms: i64) -> bool {
    let oldest = sessions
        .iter()
        .map(|(id, session)| (session.lock().last_used_ms(), *id))
        .min();
    match oldest {
        Some((last_used_ms, id)) if now_ms.saturating_sub(last_used_ms) >= SESSION_IDLE_MAX_MS => {
            sessions.remove(&id);
            true
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests;
