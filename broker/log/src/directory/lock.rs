//! The lock on a log directory: one broker at a time, be it ours or Kafka.
//!
//! Kafka locks `.lock` with Java's `FileChannel.tryLock`, which is `fcntl(2)`. Rust's
//! `File::try_lock` is `flock(2)`, and the two do not see each other: two brokers would write to one
//! directory. Open-file-description locks exclude Java's, and unlike Java's they are not given up
//! when another part of this process opens and closes the file.
#![expect(unsafe_code, reason = "std offers flock only, which Java does not see")]

use std::fs::File;
use std::io;
use std::mem::zeroed;
use std::os::fd::AsRawFd;
use std::path::Path;

/// The name of the lock file, as Kafka has it.
const FILE_NAME: &str = ".lock";

#[cfg(target_os = "linux")]
const SET_LOCK: libc::c_int = libc::F_OFD_SETLK;
#[cfg(not(target_os = "linux"))]
const SET_LOCK: libc::c_int = libc::F_SETLK;

/// A held lock; dropping it, or the death of the process, gives it up.
#[derive(Debug)]
pub(super) struct DirectoryLock {
    _file: File,
}

impl DirectoryLock {
    /// Takes the lock, or returns `None` if someone else has it. Never waits.
    pub(super) fn try_take(directory: &Path) -> io::Result<Option<Self>> {
        let path = directory.join(FILE_NAME);
        let file = File::options()
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)?;
        // SAFETY: `flock` is a plain C structure; zeros mean the whole file and no owner.
        let mut request: libc::flock = unsafe { zeroed() };
        request.l_type = exclusive();
        request.l_whence = whence_start();
        // SAFETY: the descriptor is open, and the kernel only reads the structure.
        let result = unsafe { libc::fcntl(file.as_raw_fd(), SET_LOCK, &raw const request) };
        if result == 0 {
            return Ok(Some(Self { _file: file }));
        }
        let error = io::Error::last_os_error();
        match error.raw_os_error() {
            Some(libc::EAGAIN | libc::EACCES) => Ok(None),
            _ => Err(error),
        }
    }
}

/// `F_WRLCK` in the width of its field; the constants' types differ between systems.
fn exclusive() -> libc::c_short {
    libc::c_short::try_from(libc::F_WRLCK).unwrap_or(1)
}

fn whence_start() -> libc::c_short {
    libc::c_short::try_from(libc::SEEK_SET).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{BufRead, BufReader, Write};
    use std::process::{Child, Command, Stdio};

    /// What Kafka does with `.lock` (`FileLock` of 2.8), told in one word; then it waits for a line.
    const JAVA: &str = r#"
import java.io.*; import java.nio.channels.*; import java.nio.file.*;
public class TryLock {
    public static void main(String[] a) throws Exception {
        FileChannel channel = FileChannel.open(Path.of(a[0]), StandardOpenOption.CREATE,
            StandardOpenOption.READ, StandardOpenOption.WRITE);
        System.out.println(channel.tryLock() == null ? "refused" : "locked");
        System.in.read();
    }
}"#;

    /// Starts Java on the lock file of `directory`; returns what it said and the running process.
    fn java(directory: &Path) -> (String, Child) {
        let source = directory.join("TryLock.java");
        std::fs::write(&source, JAVA).unwrap();
        let mut child = Command::new("java")
            .arg(&source)
            .arg(directory.join(FILE_NAME))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("java is needed to show that its locks and ours exclude each other");
        let mut answer = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut answer)
            .unwrap();
        (answer.trim().to_owned(), child)
    }

    fn end(mut child: Child) {
        child.stdin.take().unwrap().write_all(b"\n").unwrap();
        child.wait().unwrap();
    }

    #[test]
    fn a_directory_is_locked_once_and_free_again_when_the_lock_is_dropped() {
        let directory = tempfile::tempdir().unwrap();
        let lock = DirectoryLock::try_take(directory.path()).unwrap();
        assert!(lock.is_some());
        assert!(DirectoryLock::try_take(directory.path()).unwrap().is_none());
        // Opening and closing the file elsewhere in the process must not give the lock up.
        drop(File::open(directory.path().join(FILE_NAME)).unwrap());
        assert!(DirectoryLock::try_take(directory.path()).unwrap().is_none());
        drop(lock);
        assert!(DirectoryLock::try_take(directory.path()).unwrap().is_some());
    }

    #[test]
    fn a_java_process_and_we_exclude_each_other() {
        let directory = tempfile::tempdir().unwrap();
        let lock = DirectoryLock::try_take(directory.path()).unwrap();
        assert!(lock.is_some());
        let (answer, child) = java(directory.path());
        end(child);
        assert_eq!(answer, "refused");
        drop(lock);

        let (answer, child) = java(directory.path());
        assert_eq!(answer, "locked");
        assert!(DirectoryLock::try_take(directory.path()).unwrap().is_none());
        end(child);
        assert!(DirectoryLock::try_take(directory.path()).unwrap().is_some());
    }
}
