//! Three local servers that form one ensemble.

use super::local::LocalServer;
use crate::liveness;
use crate::process::free_port;

/// Servers of an ensemble.
const SERVERS: usize = 3;

/// An ensemble of three. Killed when dropped.
#[derive(Debug)]
pub struct Ensemble {
    servers: Vec<LocalServer>,
}

impl Ensemble {
    /// Starts three servers and waits until all of them serve.
    pub fn start() -> Self {
        let peers: String = (1..=SERVERS)
            .map(|id| format!("server.{id}=127.0.0.1:{}:{}\n", free_port(), free_port()))
            .collect();
        let mut servers: Vec<LocalServer> = (1..=SERVERS)
            .map(|id| LocalServer::spawn(free_port(), &peers, Some(id), &[]))
            .collect();
        for server in &mut servers {
            assert!(
                server.serves(),
                "a server of the ensemble ended:\n{}",
                server.log_text()
            );
        }
        Self { servers }
    }

    /// Connect string of all three, without a chroot.
    pub fn connect_string(&self) -> String {
        let all: Vec<String> = self
            .servers
            .iter()
            .map(|one| one.address().to_string())
            .collect();
        all.join(",")
    }

    /// The servers, in the order of [`Self::connect_string`].
    pub fn servers(&mut self) -> &mut [LocalServer] {
        &mut self.servers
    }

    /// Index of the server that leads, once there is one.
    pub fn leader(&self) -> usize {
        liveness::wait_for("the ensemble has a leader", || {
            self.servers
                .iter()
                .position(|one| one.role().as_deref() == Some("leader"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_servers_elect_another_leader_when_theirs_is_killed() {
        let mut ensemble = Ensemble::start();
        let first = ensemble.leader();
        ensemble.servers()[first].kill();
        assert_ne!(ensemble.leader(), first);
        ensemble.servers()[first].restart();
    }
}
