//! The CRC-32 of zip (ISO 3309, as in the zip specification, 4.4.7), to notice bytes that another reader would refuse.

use std::io::{Error, ErrorKind, Read};

/// The polynomial, bits reversed.
const POLYNOMIAL: u32 = 0xEDB8_8320;

const TABLE: [u32; 256] = table();

#[expect(clippy::indexing_slicing, reason = "256 places, and i counts to 255; iterators do not work in const")]
const fn table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut i = 0;
    while i < 256 {
        let mut value = i as u32;
        let mut bit = 0;
        while bit < 8 {
            value = if value & 1 == 1 { (value >> 1) ^ POLYNOMIAL } else { value >> 1 };
            bit += 1;
        }
        table[i] = value;
        i += 1;
    }
    table
}

/// A CRC-32 in progress.
#[derive(Debug, Clone, Copy)]
pub(super) struct Crc(u32);

impl Crc {
    /// Of nothing.
    pub fn new() -> Crc {
        Crc(u32::MAX)
    }

    /// Of these bytes, too.
    pub fn update(&mut self, bytes: &[u8]) {
        for byte in bytes {
            let [low, ..] = self.0.to_le_bytes();
            self.0 = (self.0 >> 8) ^ TABLE.get(usize::from(low ^ byte)).copied().unwrap_or(0);
        }
    }

    /// The value so far.
    pub fn value(self) -> u32 {
        !self.0
    }
}

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
