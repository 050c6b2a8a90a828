//! CRC-32C (Castagnoli), the checksum of magic 2. Magic 0 and 1 use another polynomial.

/// Checksum of `bytes`.
pub(super) fn crc32c(bytes: &[u8]) -> u32 {
    crc_fast::crc32_iscsi(bytes)
}

#[cfg(test)]
mod tests {
    use super::crc32c;

    #[test]
    fn the_checksum_is_castagnoli_and_not_the_ieee_one() {
        // Check value of CRC-32C/iSCSI in the catalogue of parametrised CRC algorithms.
        assert_eq!(crc32c(b"123456789"), 0xE306_9283);
        assert_ne!(crc32c(b"123456789"), crc32fast::hash(b"123456789"));
    }
}
