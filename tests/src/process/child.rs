//! One child process.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use rustix::process::{Pid, kill_process};

use super::guard;
use crate::liveness;

/// Signals that tests send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// SIGTERM: asks to stop in order.
    Terminate,
    /// SIGINT: what Ctrl-C sends.
    Interrupt,
    /// SIGKILL: ends at once, nothing is flushed.
    Kill,
    /// SIGSTOP: stands still, sockets stay open: a long pause of the machine or its collector.
    Stop,
    /// SIGCONT: goes on after [`Signal::Stop`].
    Continue,
}

/// A child process with its output in a file. Killed when dropped.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    log: PathBuf,
    status: Option<ExitStatus>,
}

impl Process {
    /// Starts `command` with no input and with both outputs appended to the file `log`.
    pub fn spawn(name: &str, mut command: Command, log: &Path) -> Self {
        let out = File::options().create(true).append(true).open(log);
        let out = out.unwrap_or_else(|error| panic!("{}: {error}", log.display()));
        let err = out.try_clone().expect("a file handle is cloned");
        let started = command.stdin(Stdio::null()).stdout(out).stderr(err).spawn();
        let child = started.unwrap_or_else(|error| panic!("{name}: {command:?}: {error}"));
        guard::started(child.id());
        Self {
            name: name.into(),
            child,
            log: log.into(),
            status: None,
        }
    }

    /// Process id. Names the process as long as it was not waited for.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// File with everything the process wrote to standard output and standard error.
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// Everything the process has written so far.
    pub fn log_text(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// Sends a signal. Does nothing to a process that has ended.
    pub fn signal(&mut self, signal: Signal) {
        if self.status().is_some() {
            return;
        }
        let number = match signal {
            Signal::Terminate => rustix::process::Signal::TERM,
            Signal::Interrupt => rustix::process::Signal::INT,
            Signal::Kill => rustix::process::Signal::KILL,
            Signal::Stop => rustix::process::Signal::STOP,
            Signal::Continue => rustix::process::Signal::CONT,
        };
        let sent = kill_process(Pid::from_child(&self.child), number);
        sent.unwrap_or_else(|error| panic!("{signal:?} to {}: {error}", self.name));
    }

    /// How the process ended, or `None` while it runs (or stands still).
    pub fn status(&mut self) -> Option<ExitStatus> {
        if self.status.is_none() {
            self.status = self.child.try_wait().expect("a child can be waited for");
            if self.status.is_some() {
                guard::ended(self.child.id());
            }
        }
        self.status
    }

    /// Blocks until the process has ended, and says how.
    pub fn wait(&mut self) -> ExitStatus {
        let what = format!("end of {}", self.name);
        liveness::wait_for(&what, || self.status())
    }

    /// Kills the process (SIGKILL) and waits until it is gone.
    pub fn kill(&mut self) {
        self.signal(Signal::Kill);
        self.wait();
    }

    /// Asks the process to stop (SIGTERM) and waits until it has; says how it ended.
    pub fn terminate(&mut self) -> ExitStatus {
        self.signal(Signal::Terminate);
        self.wait()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.status().is_none() {
            // Not `kill`: a panic while another one unwinds would hide the test's own.
            let killed = kill_process(Pid::from_child(&self.child), rustix::process::Signal::KILL);
            if killed.is_ok() && self.child.wait().is_ok() {
                guard::ended(self.child.id());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sleeper(folder: &Path) -> Process {
        let mut command = Command::new("sh");
        command.args(["-c", "echo ready; exec sleep 600"]);
        Process::spawn("sleeper", command, &folder.join("log"))
    }

    fn exists(pid: u32) -> bool {
        let pid = Pid::from_raw(pid.try_into().unwrap()).unwrap();
        rustix::process::test_kill_process(pid).is_ok()
    }

    #[test]
    fn a_child_writes_to_its_file_and_is_ended_by_each_way() {
        let folder = tempfile::tempdir().unwrap();
        let mut child = sleeper(folder.path());
        liveness::wait_until("the child writes", || child.log_text() == "ready\n");
        assert_eq!(child.status(), None);
        child.signal(Signal::Stop);
        child.signal(Signal::Continue);
        assert!(!child.terminate().success());
        let mut killed = sleeper(folder.path());
        killed.kill();
        assert!(killed.status().is_some());
    }

    #[test]
    fn a_dropped_child_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let child = sleeper(folder.path());
        let pid = child.id();
        assert!(exists(pid));
        drop(child);
        assert!(!exists(pid));
    }
}
