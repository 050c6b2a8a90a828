//! Where news waits for its reader: not a queue but a state and its difference from what was told,
//! so that a slow reader costs no more memory than a quick one.

use std::collections::BTreeSet;
use std::sync::Arc;

use barnabas_zk_schema::ZkPath;
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::event::{Established, SessionEvent, SessionGeneration};

/// Paths that wait to be told as dirty, at most; beyond, everything watched is to be read again.
pub const DIRTY_PATHS_MAX: usize = 4096;

#[derive(Debug, Default)]
struct State {
    session: Option<Established>,
    is_connected: bool,
    is_leased: bool,
    is_closed: bool,
    told_generation: Option<SessionGeneration>,
    told_connected: bool,
    told_leased: bool,
    watched: BTreeSet<ZkPath>,
    resync: BTreeSet<ZkPath>,
    dirty: BTreeSet<ZkPath>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    news: Notify,
}

/// The writing end. Clones are the same mailbox.
#[derive(Clone, Debug, Default)]
pub(crate) struct Mailbox(Arc<Shared>);

/// The news of a session, in the order in which it matters: the end of a session comes before the
/// beginning of the next one, a session before what happens to its watches.
#[derive(Debug)]
pub struct SessionEvents(Arc<Shared>);

impl SessionEvents {
    /// Waits for news and returns it; `None` once the session is closed and all is told. Dropping
    /// the future loses nothing.
    pub async fn next(&mut self) -> Option<SessionEvent> {
        loop {
            {
                let mut state = self.0.state.lock();
                if let Some(event) = state.next() {
                    return Some(event);
                }
                if state.is_closed {
                    return None;
                }
            }
            self.0.news.notified().await;
        }
    }
}

impl Mailbox {
    pub(crate) fn reader(&self) -> SessionEvents {
        SessionEvents(Arc::clone(&self.0))
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.0.state.lock());
        self.0.news.notify_one();
    }

    /// The session that is there now, connected or not.
    pub(crate) fn session(&self) -> Option<Established> {
        self.0.state.lock().session
    }

    pub(crate) fn established(&self, session: Established) {
        self.change(|state| {
            state.session = Some(session);
            state.is_connected = true;
        });
    }

    pub(crate) fn connected(&self, is_connected: bool) {
        self.change(|state| state.is_connected = is_connected);
    }

    pub(crate) fn leased(&self, is_leased: bool) {
        self.change(|state| state.is_leased = is_leased);
    }

    pub(crate) fn expired(&self) {
        self.change(State::expire);
    }

    pub(crate) fn closed(&self) {
        self.change(|state| {
            state.expire();
            state.is_closed = true;
        });
    }

    pub(crate) fn unwatched(&self, path: &ZkPath) {
        self.change(|state| {
            state.watched.remove(path);
            state.resync.remove(path);
            state.dirty.retain(|dirty| !dirty.is_at_or_below(path));
        });
    }

    /// The watch on `path` is in place.
    pub(crate) fn resync(&self, path: &ZkPath) {
        self.change(|state| {
            state.watched.insert(path.clone());
            state.resync.insert(path.clone());
            state.dirty.retain(|dirty| !dirty.is_at_or_below(path));
        });
    }

    pub(crate) fn dirty(&self, path: ZkPath) {
        self.change(|state| {
            if state.resync.iter().any(|above| path.is_at_or_below(above)) {
                return;
            }
            state.dirty.insert(path);
            if state.dirty.len() > DIRTY_PATHS_MAX {
                state.dirty.clear();
                state.resync = state.watched.clone();
            }
        });
    }
}

impl State {
    fn expire(&mut self) {
        self.session = None;
        self.is_connected = false;
        self.is_leased = false;
        self.watched.clear();
        self.resync.clear();
        self.dirty.clear();
    }

    /// The first difference between what is and what was told.
    fn next(&mut self) -> Option<SessionEvent> {
        let generation = self.session.map(|session| session.generation);
        if self.told_leased && !self.is_leased {
            self.told_leased = false;
            return Some(SessionEvent::LeaseOver);
        }
        if let Some(told) = self
            .told_generation
            .take_if(|told| generation != Some(*told))
        {
            return Some(SessionEvent::Expired(told));
        }
        let session = self.session?;
        if self.told_generation.is_none() {
            self.told_generation = generation;
            self.told_connected = true;
            return Some(SessionEvent::Established(session));
        }
        if self.told_connected != self.is_connected {
            self.told_connected = self.is_connected;
            let reconnected = self.is_connected;
            return Some(if reconnected {
                SessionEvent::Reconnected
            } else {
                SessionEvent::Disconnected
            });
        }
        if self.is_leased && !self.told_leased {
            self.told_leased = true;
            return Some(SessionEvent::LeaseRenewed);
        }
        if !self.resync.is_empty() {
            return Some(SessionEvent::Resync(
                std::mem::take(&mut self.resync).into_iter().collect(),
            ));
        }
        if !self.dirty.is_empty() {
            return Some(SessionEvent::Dirty(
                std::mem::take(&mut self.dirty).into_iter().collect(),
            ));
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use barnabas_zk_schema::SessionId;

    use super::*;

    fn session(generation: u64) -> Established {
        Established {
            generation: SessionGeneration(generation),
            session: SessionId(100),
            session_timeout_ms: 6000,
        }
    }

    /// Does these things one after another with nobody reading, then reads what is told.
    #[track_caller]
    fn check(deeds: &[&dyn Fn(&Mailbox)], expected: &[SessionEvent]) {
        let mailbox = Mailbox::default();
        deeds.iter().for_each(|deed| deed(&mailbox));
        let told: Vec<_> = std::iter::from_fn(|| mailbox.0.state.lock().next()).collect();
        assert_eq!(told, expected);
    }

    fn establish(generation: u64) -> impl Fn(&Mailbox) {
        move |mailbox| mailbox.established(session(generation))
    }

    fn resync(paths: &[&str]) -> SessionEvent {
        SessionEvent::Resync(paths.iter().map(|path| ZkPath::from(*path)).collect())
    }

    #[test]
    fn a_reader_that_slept_through_sessions_hears_of_the_last_one_only() {
        let all: [&dyn Fn(&Mailbox); 5] = [
            &establish(1),
            &|mailbox| mailbox.resync(&"/brokers".into()),
            &Mailbox::expired,
            &establish(2),
            &|mailbox| mailbox.connected(false),
        ];
        check(
            &all,
            &[
                SessionEvent::Established(session(2)),
                SessionEvent::Disconnected,
            ],
        );
    }

    #[test]
    fn the_end_of_a_session_is_told_before_the_next_one() {
        let mailbox = Mailbox::default();
        mailbox.established(session(1));
        mailbox.leased(true);
        let next = || mailbox.0.state.lock().next();
        assert_eq!(next(), Some(SessionEvent::Established(session(1))));
        assert_eq!(next(), Some(SessionEvent::LeaseRenewed));
        mailbox.expired();
        mailbox.established(session(2));
        assert_eq!(next(), Some(SessionEvent::LeaseOver));
        assert_eq!(next(), Some(SessionEvent::Expired(SessionGeneration(1))));
        assert_eq!(next(), Some(SessionEvent::Established(session(2))));
        assert_eq!(next(), None);
    }

    #[test]
    fn a_flap_that_nobody_saw_is_told_by_its_resync() {
        let all: [&dyn Fn(&Mailbox); 5] = [
            &establish(1),
            &|mailbox| mailbox.dirty("/brokers/ids/1".into()),
            &|mailbox| mailbox.connected(false),
            &|mailbox| mailbox.connected(true),
            &|mailbox| mailbox.resync(&"/brokers/ids".into()),
        ];
        check(
            &all,
            &[
                SessionEvent::Established(session(1)),
                resync(&["/brokers/ids"]),
            ],
        );
    }

    #[test]
    fn dirty_paths_are_told_once_and_in_order() {
        let all: [&dyn Fn(&Mailbox); 4] = [
            &establish(1),
            &|mailbox| mailbox.dirty("/b".into()),
            &|mailbox| mailbox.dirty("/a".into()),
            &|mailbox| mailbox.dirty("/b".into()),
        ];
        let dirty = SessionEvent::Dirty(vec!["/a".into(), "/b".into()]);
        check(&all, &[SessionEvent::Established(session(1)), dirty]);
    }

    #[test]
    fn too_many_dirty_paths_become_one_resync() {
        let flood = |mailbox: &Mailbox| {
            mailbox.resync(&"/t".into());
            mailbox.0.state.lock().resync.clear();
            for number in 0..=DIRTY_PATHS_MAX {
                mailbox.dirty(format!("/t/{number}").into());
            }
        };
        check(
            &[&establish(1), &flood],
            &[SessionEvent::Established(session(1)), resync(&["/t"])],
        );
    }

    #[tokio::test]
    async fn a_closed_mailbox_tells_the_end_and_then_nothing() {
        let mailbox = Mailbox::default();
        let mut events = mailbox.reader();
        mailbox.established(session(1));
        assert_eq!(
            events.next().await,
            Some(SessionEvent::Established(session(1)))
        );
        mailbox.closed();
        assert_eq!(
            events.next().await,
            Some(SessionEvent::Expired(SessionGeneration(1)))
        );
        assert_eq!(events.next().await, None);
    }
}
