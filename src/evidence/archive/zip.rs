//! A zip of stored files (PKWARE APPNOTE 6.3.10, compression method 0), from 1980-01-01 00:00, with the 64-bit fields
//! where a number needs them.

use std::io::{Seek, SeekFrom, Write};

use super::crc::Crc;
use super::{Archive, Content, Counted, ExportError};

/// 1 January 1980, the first day that a zip can name.
const DATE: u16 = (1 << 5) | 1;
/// Names are UTF-8.
const FLAGS: u16 = 1 << 11;
/// A number that stands in the 64-bit fields.
const FAR: u32 = u32::MAX;

/// Something that can be written into at a place that was passed.
pub trait WriteSeek: Write + Seek {}
impl<T: Write + Seek> WriteSeek for T {}

struct Entry {
    name: String,
    crc: u32,
    size: u64,
    offset: u64,
}

/// A zip that is being written.
pub struct Zip<'w> {
    out: &'w mut dyn WriteSeek,
    what: String,
    at: u64,
    entries: Vec<Entry>,
}

impl<'w> Zip<'w> {
    /// Begins one at the start of an empty file; `what` says in errors what is being written.
    pub fn new(out: &'w mut dyn WriteSeek, what: impl Into<String>) -> Zip<'w> {
        Zip { out, what: what.into(), at: 0, entries: Vec::new() }
    }

    /// Ends it: the directory of all files.
    ///
    /// # Errors
    /// [`ExportError::Write`].
    pub fn finish(mut self) -> Result<(), ExportError> {
        let begin = self.at;
        for e in std::mem::take(&mut self.entries) {
            let far = Far::of(e.size, e.offset);
            let mut record = b"PK\x01\x02".to_vec();
            // Made by a Unix (3); mode 0644 stands in the upper half of the attributes.
            put16(&mut record, &[(3 << 8) | far.version(), far.version(), FLAGS, 0, 0, DATE]);
            put32(&mut record, &[e.crc, far.size(), far.size()]);
            put16(&mut record, &[length(&e.name), length(&far.extra), 0, 0, 0]);
            put32(&mut record, &[0o100_644 << 16, far.offset()]);
            record.extend_from_slice(e.name.as_bytes());
            record.extend_from_slice(&far.extra);
            self.put(&record)?;
            self.entries.push(e);
        }
        let size = self.at - begin;
        let count = u64::try_from(self.entries.len()).unwrap_or(u64::MAX);
        let mut end = Vec::new();
        let near = count < u64::from(u16::MAX) && begin < u64::from(FAR) && size < u64::from(FAR);
        if !near {
            end.extend_from_slice(b"PK\x06\x06");
            end.extend_from_slice(&44u64.to_le_bytes());
            put16(&mut end, &[(3 << 8) | 45, 45]);
            put32(&mut end, &[0, 0]);
            for number in [count, count, size, begin] {
                end.extend_from_slice(&number.to_le_bytes());
            }
            end.extend_from_slice(b"PK\x06\x07");
            put32(&mut end, &[0]);
            end.extend_from_slice(&self.at.to_le_bytes());
            put32(&mut end, &[1]);
        }
        let count = u16::try_from(count).unwrap_or(u16::MAX);
        end.extend_from_slice(b"PK\x05\x06");
        put16(&mut end, &[0, 0, count, count]);
        put32(&mut end, &[u32::try_from(size).unwrap_or(FAR), u32::try_from(begin).unwrap_or(FAR)]);
        put16(&mut end, &[0]);
        self.put(&end)?;
        self.out.flush().map_err(ExportError::write(self.what))
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), ExportError> {
        self.out.write_all(bytes).map_err(ExportError::write(self.what.clone()))?;
        self.at += u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        Ok(())
    }
}

impl Archive for Zip<'_> {
    fn add(&mut self, name: &str, size: u64, content: &mut Content<'_>) -> Result<(), ExportError> {
        let offset = self.at;
        let far = Far::of(size, 0);
        let mut header = b"PK\x03\x04".to_vec();
        put16(&mut header, &[far.version(), FLAGS, 0, 0, DATE]);
        // The sum is known only at the end: its place is filled then.
        put32(&mut header, &[0, far.size(), far.size()]);
        put16(&mut header, &[length(name), length(&far.extra)]);
        header.extend_from_slice(name.as_bytes());
        header.extend_from_slice(&far.extra);
        self.put(&header)?;
        let mut summed = Summed { out: self.out, crc: Crc::new() };
        let mut counted = Counted::new(&mut summed);
        content(&mut counted).map_err(|e| super::named(e, &self.what))?;
        counted.require(name, size)?;
        let crc = summed.crc.value();
        self.at += size;
        let fill = |out: &mut dyn WriteSeek| -> std::io::Result<()> {
            out.seek(SeekFrom::Start(offset + 14))?;
            out.write_all(&crc.to_le_bytes())?;
            out.seek(SeekFrom::Start(offset + u64::try_from(header.len()).unwrap_or(0) + size)).map(drop)
        };
        fill(self.out).map_err(ExportError::write(self.what.clone()))?;
        self.entries.push(Entry { name: name.into(), crc, size, offset });
        Ok(())
    }
}

/// Numbers that do not fit into 32 bits, as the extra field 0x0001 has them.
struct Far {
    size: u64,
    offset: u64,
    extra: Vec<u8>,
}

impl Far {
    fn of(size: u64, offset: u64) -> Far {
        let mut numbers = Vec::new();
        if size >= u64::from(FAR) {
            numbers.extend([size, size]);
        }
        if offset >= u64::from(FAR) {
            numbers.push(offset);
        }
        let mut extra = Vec::new();
        if !numbers.is_empty() {
            put16(&mut extra, &[1, u16::try_from(numbers.len() * 8).unwrap_or(0)]);
            numbers.iter().for_each(|n| extra.extend_from_slice(&n.to_le_bytes()));
        }
        Far { size, offset, extra }
    }

    /// 4.5 where the extra field is needed, else 1.0.
    fn version(&self) -> u16 {
        if self.extra.is_empty() { 10 } else { 45 }
    }

    fn size(&self) -> u32 {
        u32::try_from(self.size).unwrap_or(FAR)
    }

    fn offset(&self) -> u32 {
        u32::try_from(self.offset).unwrap_or(FAR)
    }
}

struct Summed<'a> {
    out: &'a mut dyn WriteSeek,
    crc: Crc,
}

impl Write for Summed<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let taken = self.out.write(bytes)?;
        self.crc.update(bytes.get(..taken).unwrap_or_default());
        Ok(taken)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.out.flush()
    }
}

fn length(bytes: impl AsRef<[u8]>) -> u16 {
    u16::try_from(bytes.as_ref().len()).unwrap_or(u16::MAX)
}

fn put16(out: &mut Vec<u8>, numbers: &[u16]) {
    numbers.iter().for_each(|n| out.extend_from_slice(&n.to_le_bytes()));
}

fn put32(out: &mut Vec<u8>, numbers: &[u32]) {
    numbers.iter().for_each(|n| out.extend_from_slice(&n.to_le_bytes()));
}
