//! Who may connect: `max.connections` for the whole broker, `max.connections.per.ip` for one address.
//!
//! The limit of the whole broker makes a listener wait (new peers queue in the kernel's backlog); only
//! the listener between brokers may pass it, so that clients never lock the cluster out. The limit of
//! one address closes the connection at once. Source: KIP-402, KIP-612; kafka 2.8
//! network/SocketServer.scala (`ConnectionQuotas`).

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::Notify;

/// Counts the open connections and says whether one more fits.
#[derive(Debug)]
pub struct Admission {
    connections_max: usize,
    connections_per_ip_max: usize,
    overrides: BTreeMap<IpAddr, usize>,
    open: Mutex<Open>,
    closed: Notify,
}

#[derive(Debug, Default)]
struct Open {
    total: usize,
    by_ip: BTreeMap<IpAddr, usize>,
}

/// The address already has `limit` connections open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{ip} has {limit} connections open, as many as max.connections.per.ip allows")]
pub struct TooManyFromOneAddress {
    /// The peer's address.
    pub ip: IpAddr,
    /// `max.connections.per.ip`.
    pub limit: usize,
}

/// One admitted connection; gives its place back when dropped.
#[derive(Debug)]
pub struct Admitted {
    admission: Arc<Admission>,
    ip: IpAddr,
}

impl Admission {
    /// Admits at most `connections_max` connections in all and `connections_per_ip_max` from one
    /// address, or what `overrides` say of it.
    #[must_use]
    pub fn new(
        connections_max: usize,
        connections_per_ip_max: usize,
        overrides: BTreeMap<IpAddr, usize>,
    ) -> Arc<Self> {
        Arc::new(Self {
            connections_max,
            connections_per_ip_max,
            overrides,
            open: Mutex::default(),
            closed: Notify::new(),
        })
    }

    /// Waits until the whole broker has room for one more connection.
    pub async fn room(&self) {
        loop {
            let closed = self.closed.notified();
            if self.open.lock().total < self.connections_max {
                return;
            }
            closed.await;
        }
    }

    /// Takes a place for a connection from `ip`.
    ///
    /// # Errors
    /// [`TooManyFromOneAddress`] when that address has as many as it may have.
    pub fn admit(self: &Arc<Self>, ip: IpAddr) -> Result<Admitted, TooManyFromOneAddress> {
        // An IPv4 peer of a listener on both families has an IPv6 address around its own.
        let ip = ip.to_canonical();
        let limit = self
            .overrides
            .get(&ip)
            .copied()
            .unwrap_or(self.connections_per_ip_max);
        let mut open = self.open.lock();
        let from_ip = open.by_ip.entry(ip).or_default();
        if *from_ip >= limit {
            if limit == 0 {
                open.by_ip.remove(&ip);
            }
            return Err(TooManyFromOneAddress { ip, limit });
        }
        *from_ip += 1;
        open.total += 1;
        drop(open);
        Ok(Admitted {
            admission: Arc::clone(self),
            ip,
        })
    }

    /// Connections open now.
    #[must_use]
    pub fn open(&self) -> usize {
        self.open.lock().total
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        let mut open = self.admission.open.lock();
        open.total = open.total.saturating_sub(1);
        if let Some(from_ip) = open.by_ip.get_mut(&self.ip) {
            *from_ip = from_ip.saturating_sub(1);
            if *from_ip == 0 {
                open.by_ip.remove(&self.ip);
            }
        }
        drop(open);
        self.admission.closed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1));
    const TRUSTED: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 3));
    const OTHER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 2));

    #[test]
    fn an_address_over_its_limit_is_refused_and_another_is_not() {
        let admission = Admission::new(10, 1, [(TRUSTED, 2)].into());
        let first = admission.admit(ONE).unwrap();
        assert_eq!(
            admission.admit(ONE).unwrap_err(),
            TooManyFromOneAddress { ip: ONE, limit: 1 }
        );
        let _other = admission.admit(OTHER).unwrap();
        drop(first);
        assert!(
            admission.admit(ONE).is_ok(),
            "a closed connection frees its place"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_full_broker_waits_until_a_connection_closes() {
        let admission = Admission::new(1, 10, BTreeMap::new());
        let only = admission.admit(ONE).unwrap();
        let waiting = tokio::spawn({
            let admission = Arc::clone(&admission);
            async move { admission.room().await }
        });
        tokio::time::sleep(std::time::Duration::from_secs(60)).await;
        assert!(
            !waiting.is_finished(),
            "there is no room while the only place is taken"
        );
        drop(only);
        waiting.await.unwrap();
        assert_eq!(admission.open(), 0);
    }
}
