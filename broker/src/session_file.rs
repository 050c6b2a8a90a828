//! The id of the last ZooKeeper session, kept in a log directory.
//!
//! After a crash the registration of the dead process stays until its session times out. Whoever holds
//! the lock of the directory knows that the process of that session is gone, and may replace it at once.
//! Losing the file costs that wait and nothing else, so it is not synced.

use std::fs;
use std::io;
use std::path::Path;

use barnabas_zk_schema::SessionId;

/// Its name in the first of `log.dirs`. Kafka ignores plain files there.
pub(crate) const NAME: &str = "barnabas.session";

/// The session of this broker's last life; None if there was none or nobody knows.
pub(crate) fn read(path: &Path) -> Option<SessionId> {
    let text = fs::read_to_string(path).ok()?;
    u64::from_str_radix(text.trim(), 16)
        .ok()
        .map(|id| SessionId(id.cast_signed()))
}

/// Keeps a session's id.
pub(crate) fn write(path: &Path, session: SessionId) -> io::Result<()> {
    fs::write(path, format!("{:x}\n", session.0.cast_unsigned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_read_as_it_was_written() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(NAME);
        assert_eq!(read(&path), None);
        for id in [1, 0x0123_4567_89ab_cdef, i64::MAX, -2] {
            write(&path, SessionId(id)).unwrap();
            assert_eq!(read(&path), Some(SessionId(id)), "{id:x}");
        }
        fs::write(&path, "no number").unwrap();
        assert_eq!(read(&path), None);
    }
}
