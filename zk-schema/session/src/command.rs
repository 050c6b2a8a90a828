//! What callers ask of the actor.

use barnabas_zk_schema::{Outcome, ZkError, ZkOp, ZkPath};
use tokio::sync::oneshot;

use crate::event::SessionGeneration;

/// Size of one request, bytes, that is not reached: the server closes the connection on one above
/// `jute.maxbuffer`, 1,048,575 bytes, and every other request under way is lost with it.
pub const REQUEST_SIZE_BYTES_MAX: usize = 1_000_000;

/// Commands that wait for the actor, at most; callers wait beyond.
pub(crate) const COMMANDS_MAX: usize = 64;

/// Operations to be sent in order, and where their outcomes go.
#[derive(Debug)]
pub(crate) struct Batch {
    pub(crate) generation: SessionGeneration,
    pub(crate) ops: Vec<ZkOp>,
    /// Whether neighbouring multis behind the same check may be packed into one.
    pub(crate) is_packed: bool,
    pub(crate) reply: oneshot::Sender<Vec<Outcome>>,
}

/// One wish of a caller.
#[derive(Debug)]
pub(crate) enum Command {
    Batch(Batch),
    Watch {
        generation: SessionGeneration,
        path: ZkPath,
    },
    Unwatch {
        generation: SessionGeneration,
        path: ZkPath,
    },
    /// End the session in order and say when it is done.
    Close(oneshot::Sender<()>),
}

/// The refusal of an operation that would take too much room; `chroot_size_bytes` is put in front of
/// every path.
pub(crate) fn too_large(op: &ZkOp, chroot_size_bytes: usize) -> Option<ZkError> {
    let paths = match op {
        ZkOp::Read(_) | ZkOp::Write(_) => 1,
        ZkOp::Multi(writes) => writes.len(),
    };
    let size_bytes = op
        .size_bytes()
        .saturating_add(paths.saturating_mul(chroot_size_bytes));
    (size_bytes >= REQUEST_SIZE_BYTES_MAX).then_some(ZkError::TooLarge {
        size_bytes,
        limit_bytes: REQUEST_SIZE_BYTES_MAX,
    })
}

#[cfg(test)]
mod tests {
    use barnabas_zk_schema::{CreateMode, ZkWrite};

    use super::*;

    #[test]
    fn the_limit_counts_all_changes_of_a_multi_and_the_chroot() {
        let create = |size_bytes| ZkWrite::Create {
            path: "/p".into(),
            data: vec![0; size_bytes],
            mode: CreateMode::Persistent,
        };
        assert!(too_large(&ZkOp::Write(create(999_000)), 0).is_none());
        assert!(too_large(&ZkOp::Write(create(1_000_000)), 0).is_some());
        assert!(too_large(&ZkOp::Write(create(999_000)), 1000).is_some());
        assert!(too_large(&ZkOp::Multi(vec![create(499_000); 2]), 0).is_none());
        assert!(too_large(&ZkOp::Multi(vec![create(499_000); 2]), 1000).is_some());
    }
}
