//! Reading a member of an archive to its end, and noticing bytes that another reader would refuse.

use std::io::{Error, ErrorKind, Read};

use super::archive::crc::Crc;

/// Reads a member and says at its end whether it was all there, with the CRC-32 that the archive says.
pub(super) struct CrcReader<R> {
    inner: R,
    left: u64,
    expected: Option<u32>,
    crc: Crc,
    name: String,
}

impl<R: Read> CrcReader<R> {
    /// Of a member of that size.
    pub fn new(inner: R, size: u64, expected: Option<u32>, name: String) -> CrcReader<R> {
        CrcReader { inner, left: size, expected, crc: Crc::new(), name }
    }
}

impl<R: Read> Read for CrcReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let bad = |what: &str| Error::new(ErrorKind::InvalidData, format!("{}: {what}", self.name));
        if buffer.is_empty() {
            return Ok(0);
        }
        let read = self.inner.read(buffer)?;
        if read == 0 && self.left > 0 {
            return Err(bad("it was cut off"));
        }
        self.left = self.left.saturating_sub(u64::try_from(read).unwrap_or(u64::MAX));
        if self.expected.is_some() {
            self.crc.update(buffer.get(..read).unwrap_or_default());
        }
        if read == 0 && self.expected.is_some_and(|crc| crc != self.crc.value()) {
            return Err(bad("its CRC-32 is not the one that the archive says"));
        }
        Ok(read)
    }
}
