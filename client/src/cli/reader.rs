//! Whoever reads our standard output.

use std::io;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// Whether nobody reads standard output any more: `head` has seen enough, a pager was left. A
/// write would tell as well, but a consumer may have nothing to write for a long time.
pub(crate) fn is_gone() -> bool {
    is_closed(&io::stdout())
}

fn is_closed(output: &impl rustix::fd::AsFd) -> bool {
    let mut outputs = [PollFd::new(output, PollFlags::empty())];
    let polled = poll(
        &mut outputs,
        Some(&Timespec {
            tv_sec: 0,
            tv_nsec: 0,
        }),
    );
    let gone = PollFlags::ERR | PollFlags::HUP;
    polled.is_ok()
        && outputs
            .iter()
            .any(|output| output.revents().intersects(gone))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pipe_is_closed_when_its_reader_is() {
        let (reader, writer) = io::pipe().unwrap();
        assert!(!is_closed(&writer));
        drop(reader);
        assert!(is_closed(&writer));
    }
}
