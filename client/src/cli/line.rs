//! Lines of a file or of standard input, read block by block on a thread of their own.

use std::io::{self, BufRead as _, Read};

use tokio::sync::mpsc;

/// How much is read at once.
const BLOCK_BYTES: usize = 256 * 1024;
/// Blocks that wait to be taken: so far reading runs ahead.
const BLOCKS_AHEAD: usize = 4;
/// The longest line. Longer ones are refused before they fill the memory; a record that large
/// would be refused anyhow.
const LINE_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Reads `source` on a thread, and sends blocks of whole lines; only the last one may lack its
/// newline. A terminal's lines come as they are typed. An error is the last thing sent.
///
/// # Errors
/// The system's, if it has no thread to spare.
pub(crate) fn blocks(
    source: impl Read + Send + 'static,
) -> io::Result<mpsc::Receiver<io::Result<Vec<u8>>>> {
    let (sender, receiver) = mpsc::channel(BLOCKS_AHEAD);
    let read_all = move || {
        if let Err(error) = read(source, |block| sender.blocking_send(Ok(block)).is_ok()) {
            // Whoever stopped taking blocks needs no error either.
            drop(sender.blocking_send(Err(error)));
        }
    };
    std::thread::Builder::new()
        .name("lines".to_owned())
        .spawn(read_all)?;
    Ok(receiver)
}

/// Reads to the end, or until `take` says that it takes no more.
fn read(mut source: impl Read, mut take: impl FnMut(Vec<u8>) -> bool) -> io::Result<()> {
    let mut block = Vec::new();
    loop {
        let filled = block.len();
        block.resize(filled + BLOCK_BYTES, 0);
        let count = match source.read(block.get_mut(filled..).unwrap_or_default()) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => 0,
            Ok(0) => {
                block.truncate(filled);
                if !block.is_empty() {
                    take(block);
                }
                return Ok(());
            }
            other => other?,
        };
        block.truncate(filled + count);
        let fresh = block.get(filled..).unwrap_or_default();
        if let Some(last) = fresh.iter().rposition(|&byte| byte == b'\n') {
            let rest = block.split_off(filled + last + 1);
            if !take(std::mem::replace(&mut block, rest)) {
                return Ok(());
            }
        }
        if block.len() > LINE_BYTES_MAX {
            let limit = LINE_BYTES_MAX / 1024 / 1024;
            return Err(io::Error::other(format!(
                "a line is longer than {limit} MiB"
            )));
        }
    }
}

/// The lines of a block, without their newlines. A carriage return belongs to the line: what goes
/// in comes out again.
pub(crate) fn lines(block: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = block;
    std::iter::from_fn(move || {
        let whole = rest;
        let length = rest.skip_until(b'\n').ok().filter(|&length| length > 0)?;
        let line = whole.get(..length)?;
        Some(line.strip_suffix(b"\n").unwrap_or(line))
    })
}

/// Key and value of a line, if the separator is in it. The first one counts.
pub(crate) fn split<'a>(line: &'a [u8], separator: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = match separator {
        [] => return None,
        [byte] => line.iter().position(|other| other == byte)?,
        longer => line
            .windows(longer.len())
            .position(|window| window == longer)?,
    };
    Some((line.get(..at)?, line.get(at + separator.len()..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives at most so many bytes at a time, as pipes and terminals do.
    struct Trickle<'a>(&'a [u8], usize);

    impl Read for Trickle<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let count = self.1.min(self.0.len()).min(buffer.len());
            let (now, later) = self.0.split_at(count);
            buffer[..count].copy_from_slice(now);
            self.0 = later;
            Ok(count)
        }
    }

    fn lines_of(text: &[u8], step: usize) -> Vec<Vec<u8>> {
        let mut all = Vec::new();
        read(Trickle(text, step), |block| {
            all.extend(lines(&block).map(<[u8]>::to_vec));
            true
        })
        .unwrap();
        all
    }

    #[test]
    fn lines_are_the_same_however_they_arrive() {
        let text = b"one\n\ntwo\r\nthree\n\xff\n last";
        let expected: [&[u8]; 6] = [b"one", b"", b"two\r", b"three", b"\xff", b" last"];
        for step in [1, 2, 3, 5, 1000] {
            assert_eq!(lines_of(text, step), expected, "{step}");
        }
        assert_eq!(lines_of(b"", 1), [b""; 0]);
        assert_eq!(lines_of(b"\n", 1), [b""]);
    }

    #[test]
    fn blocks_end_with_a_line() {
        let mut blocks = Vec::new();
        read(Trickle(b"ab\ncd\nef", 5), |block| {
            blocks.push(block);
            true
        })
        .unwrap();
        assert_eq!(blocks, [&b"ab\n"[..], b"cd\n", b"ef"]);
    }

    #[test]
    fn a_line_without_end_does_not_fill_the_memory() {
        let endless = io::repeat(b'x');
        let error = read(endless, |_| true).unwrap_err();
        assert_eq!(error.to_string(), "a line is longer than 64 MiB");
    }

    #[test]
    fn a_line_is_split_at_the_first_separator() {
        let check = |line: &[u8], separator: &[u8], expected: Option<(&[u8], &[u8])>| {
            assert_eq!(split(line, separator), expected);
        };
        check(b"k:v:w", b":", Some((b"k", b"v:w")));
        check(b"k:v:w", b":w", Some((b"k:v", b"")));
        check(b":v", b":", Some((b"", b"v")));
        check(b"kv", b":", None);
        check(b"kv", b"longer", None);
    }
}
