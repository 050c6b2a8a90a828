//! What an operation is: a piece of work that asks ZooKeeper a few times and then is done.

use std::fmt::Debug;

use barnabas_zk_schema::{ControllerOp, Outcome};

use crate::CallId;
use crate::call::Answer;
use crate::context::Context;

/// One piece of the active controller's work. While it is at work no other is.
pub(crate) trait Operation: Debug + Send {
    /// The first turn.
    fn begin(&mut self, context: &mut Context) -> Turn;

    /// The turn after [`Turn::Ask`]: one outcome for each operation asked, in their order. Where all
    /// were reads none of the outcomes is unknown: the machine asks again until they are known.
    fn resume(&mut self, context: &mut Context, outcomes: Vec<Outcome>) -> Turn;

    /// The call that it answers.
    fn call(&self) -> Option<CallId> {
        None
    }
}

/// How an operation goes on.
#[derive(Debug)]
pub(crate) enum Turn {
    /// With the outcomes of these.
    Ask(Vec<ControllerOp>),
    /// Not at all: it is done.
    Done,
    /// Not now. It has marked what is left to do, which is taken up again after a while.
    Later,
    /// Not at all: another controller was elected.
    Moved,
    /// Not at all: this broker cannot be controller. Another shall be.
    Resign,
    /// Not at all: it is done, and this is the answer to its call.
    Answer(Answer),
}
