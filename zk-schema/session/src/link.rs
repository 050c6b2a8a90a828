//! The connection as the actor's tasks see it: there, not there, or over for good.

use std::cell::Cell;
use std::rc::Rc;

use tokio::sync::watch;

use crate::event::Established;

/// State of a session's connection.
#[derive(Clone, Debug)]
pub(crate) enum Link<E> {
    /// No connection; there may be one again.
    Down,
    /// Connected through this engine.
    Up(E),
    /// The session is over.
    Over,
}

/// One session, from its establishment until it has expired, over as many connections as it takes.
#[derive(Clone, Debug)]
pub(crate) struct Tenure<E> {
    pub(crate) session: Established,
    link: watch::Receiver<Link<E>>,
    /// See [`Self::needs_sync`].
    needs_sync: Rc<Cell<bool>>,
}

impl<E: Clone> Tenure<E> {
    pub(crate) fn new(session: Established, link: watch::Receiver<Link<E>>) -> Self {
        Self {
            session,
            link,
            needs_sync: Rc::new(Cell::new(false)),
        }
    }

    /// Waits for a connection. `None`: the session is over.
    pub(crate) async fn engine(&self) -> Option<E> {
        let mut link = self.link.clone();
        let settled = link.wait_for(|link| !matches!(link, Link::Down)).await;
        match settled.as_deref() {
            Ok(Link::Up(engine)) => Some(engine.clone()),
            // The keeper has ended, and the session with it.
            Ok(Link::Down | Link::Over) | Err(_) => None,
        }
    }

    /// Whether the session is over, as far as this process knows.
    pub(crate) fn is_over(&self) -> bool {
        matches!(*self.link.borrow(), Link::Over)
    }

    /// Remembers that something may have been done that the server at hand has not heard of: a reply
    /// was lost, or the session was attached to another server.
    pub(crate) fn needs_sync(&self) {
        self.needs_sync.set(true);
    }

    /// Whether the next request must be preceded by a `sync`; asking takes the duty over.
    pub(crate) fn takes_sync(&self) -> bool {
        self.needs_sync.replace(false)
    }
}
