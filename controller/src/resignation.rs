//! Gives the controller away, so that another broker gets a chance.

use barnabas_zk_schema::controller::ControllerZnode;
use barnabas_zk_schema::{Expected, Outcome, Znode};

use crate::context::Context;
use crate::operation::{Operation, Turn};

/// Removes `/controller`, fenced: another controller's is never removed.
#[derive(Debug)]
pub(crate) struct Resignation;

impl Operation for Resignation {
    fn begin(&mut self, context: &mut Context) -> Turn {
        Turn::Ask(vec![
            context.fence.write([ControllerZnode.delete(Expected::Any)]),
        ])
    }

    /// Whatever the outcome: this broker is no controller any more, and looks again who is.
    fn resume(&mut self, _: &mut Context, _: Vec<Outcome>) -> Turn {
        Turn::Moved
    }
}
