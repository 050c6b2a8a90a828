//! Removes znodes in a given order, in packs.

use barnabas_zk_schema::{
    ControllerOp, Expected, Fence, FencedOutcome, Outcome, ZkError, ZkPath, ZkWrite,
};

/// Most deletions in one multi. A pack that fails is taken one by one.
const PACK_COUNT_MAX: usize = 100;

/// Znodes on their way out. What is gone already counts as removed.
#[derive(Debug)]
pub(crate) struct Removal {
    /// In the order in which they go, the next one last.
    left: Vec<ZkPath>,
    /// How many of them the outstanding multi removes.
    outstanding: usize,
    /// How many to take one by one.
    singles: usize,
}

/// How a removal goes on.
#[derive(Debug)]
pub(crate) enum Removing {
    /// With the outcome of this.
    Ask(ControllerOp),
    /// Everything is gone.
    Done,
    /// It is not known what is gone, or a znode has got children meanwhile: look again.
    Interrupted,
    /// Another controller was elected.
    Moved,
    /// ZooKeeper does not let us.
    Refused(ZkError),
}

impl Removal {
    /// Removes `paths`, the first one first.
    pub(crate) fn new(mut paths: Vec<ZkPath>) -> Self {
        paths.reverse();
        Self {
            left: paths,
            outstanding: 0,
            singles: 0,
        }
    }

    pub(crate) fn next(&mut self, fence: &Fence) -> Removing {
        self.outstanding = if self.singles > 0 {
            1
        } else {
            self.left.len().min(PACK_COUNT_MAX)
        };
        if self.left.is_empty() {
            return Removing::Done;
        }
        let delete = |path: &ZkPath| ZkWrite::Delete {
            path: path.clone(),
            expected: Expected::Any,
        };
        Removing::Ask(fence.write(self.left.iter().rev().take(self.outstanding).map(delete)))
    }

    pub(crate) fn resume(&mut self, fence: &Fence, outcome: Option<Outcome>) -> Removing {
        match FencedOutcome::from(outcome.unwrap_or(Outcome::Unknown)) {
            FencedOutcome::Applied(_) => self.removed(),
            FencedOutcome::Refused {
                error: ZkError::NoNode,
                ..
            } if self.outstanding == 1 => {
                self.removed();
            }
            FencedOutcome::Refused {
                error: ZkError::NotEmpty,
                ..
            }
            | FencedOutcome::Unknown => {
                return Removing::Interrupted;
            }
            FencedOutcome::Refused { .. } if self.outstanding > 1 => {
                self.singles = self.outstanding;
            }
            FencedOutcome::Refused { error, .. } => return Removing::Refused(error),
            FencedOutcome::Moved => return Removing::Moved,
        }
        self.next(fence)
    }

    fn removed(&mut self) {
        self.left
            .truncate(self.left.len().saturating_sub(self.outstanding));
        self.singles = self.singles.saturating_sub(1);
    }
}
