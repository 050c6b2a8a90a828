//! Walks over the batches in some bytes.

use super::batch::Batch;
use super::error::BatchError;

/// The batches in some bytes, one after the other, each with its position.
///
/// Ends at the end of the bytes or after the first error; [`Batches::position`] then tells how far
/// whole batches reach. An incomplete last batch is an error too: the reader of a fetch response
/// stops there in silence, the recovery of a log cuts there.
#[derive(Clone, Debug)]
pub struct Batches<'a> {
    bytes: &'a [u8],
    position: usize,
    failed: bool,
}

impl<'a> Batches<'a> {
    /// Starts at the first byte.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            position: 0,
            failed: false,
        }
    }

    /// Position after the last whole batch that was returned, in bytes.
    #[must_use]
    pub const fn position(&self) -> usize {
        self.position
    }
}

impl<'a> Iterator for Batches<'a> {
    type Item = Result<Batch<'a>, BatchError>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.bytes.get(self.position..).unwrap_or_default();
        if self.failed || rest.is_empty() {
            return None;
        }
        let batch = Batch::parse(rest);
        match &batch {
            Ok(batch) => self.position += batch.bytes().len(),
            Err(_) => self.failed = true,
        }
        Some(batch)
    }
}
