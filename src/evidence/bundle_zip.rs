//! Where the members of a zip lie (PKWARE APPNOTE 6.3): stored, not compressed, one behind the other from the first byte to
//! the last. The list at the end and the headers before each member must say the same.

use std::collections::BTreeMap;

use super::bundle::{CUT, Member, Section, keep, plain_name};

/// The most bytes of the list of members: enough for 200,000.
const MAX_LIST: u64 = 32 * 1024 * 1024;

/// Names are UTF-8; of the flags, the only one that may be set.
const UTF8: u16 = 0x0800;

/// What stands in a field of 32 bits whose value stands in 64 bits elsewhere.
const ELSEWHERE: u64 = 0xFFFF_FFFF;

/// The members of a whole archive.
///
/// # Errors
/// In words, where it is none, or two readers could read it in two ways.
pub(super) fn members(file: &Section) -> Result<BTreeMap<String, Member>, String> {
    let (count, size, at) = end(file)?;
    if size > MAX_LIST {
        return Err("its list of members is too long".into());
    }
    let mut list = vec![0; usize::try_from(size).map_err(|_| CUT)?];
    if file.fill(at, &mut list).map_err(|e| e.to_string())? != list.len() {
        return Err(CUT.into());
    }
    let mut fields = Fields(&list);
    let mut members = BTreeMap::new();
    let mut next = 0;
    for _ in 0..count {
        let listed = Listed::read(&mut fields)?;
        if listed.offset != next {
            return Err("its members do not lie one behind the other".into());
        }
        let begin = local(file, &listed)?;
        next = begin.checked_add(listed.size).ok_or(CUT)?;
        let name = plain_name(&listed.name)?;
        if name.ends_with('/') && listed.size == 0 {
            continue;
        }
        keep(&mut members, name, Member { at: begin, size: listed.size, crc: Some(listed.crc) })?;
    }
    if !fields.0.is_empty() || next != at {
        return Err("something lies between its members and its list of them".into());
    }
    Ok(members)
}

/// The end: how many members, and where the list of them lies. It must be the very end, and refer to the bytes before it.
fn end(file: &Section) -> Result<(u64, u64, u64), String> {
    let place = file.len().checked_sub(22).ok_or(CUT)?;
    let record: [u8; 22] = file.exactly(place)?;
    let mut f = Fields(&record);
    if f.bytes(4)? != b"PK\x05\x06" {
        return Err("it does not end as a zip does, or has a comment".into());
    }
    let (disk, list_disk, here, count) = (f.u16()?, f.u16()?, f.u16()?, f.u16()?);
    let (size, at, comment) = (f.u32()?, f.u32()?, f.u16()?);
    if (disk, list_disk, here, comment) != (0, 0, count, 0) {
        return Err("it is one of several, or has a comment".into());
    }
    let (count, size, at, from) = if count == u16::MAX || size == ELSEWHERE || at == ELSEWHERE {
        large_end(file, place)?
    } else {
        (u64::from(count), size, at, place)
    };
    if at.checked_add(size) != Some(from) {
        return Err("something lies between its list of members and its end".into());
    }
    Ok((count, size, at))
}

/// The end of a large one (zip64).
fn large_end(file: &Section, place: u64) -> Result<(u64, u64, u64, u64), String> {
    let place = place.checked_sub(20).ok_or(CUT)?;
    let locator: [u8; 20] = file.exactly(place)?;
    let mut f = Fields(&locator);
    let (magic, disk, at, disks) = (f.bytes(4)?, f.u32()?, f.u64()?, f.u32()?);
    let bad = || "its end cannot be read (zip64)".to_owned();
    if magic != b"PK\x06\x07" || disk != 0 || disks != 1 || place.checked_sub(56) != Some(at) {
        return Err(bad());
    }
    let record: [u8; 56] = file.exactly(at)?;
    let mut f = Fields(&record);
    if f.bytes(4)? != b"PK\x06\x06" || f.u64()? != 44 {
        return Err(bad());
    }
    f.bytes(4)?;
    let (disk, list_disk, here, count, size, list) = (f.u32()?, f.u32()?, f.u64()?, f.u64()?, f.u64()?, f.u64()?);
    if (disk, list_disk, here) != (0, 0, count) {
        return Err(bad());
    }
    Ok((count, size, list, at))
}

/// One member in the list.
struct Listed {
    flags: u16,
    crc: u32,
    size: u64,
    offset: u64,
    name: Vec<u8>,
}

impl Listed {
    fn read(f: &mut Fields<'_>) -> Result<Listed, String> {
        if f.bytes(4)? != b"PK\x01\x02" {
            return Err("its list of members cannot be read".into());
        }
        f.bytes(4)?;
        let (flags, method) = (f.u16()?, f.u16()?);
        f.bytes(4)?;
        let (crc, packed, size) = (f.crc()?, f.u32()?, f.u32()?);
        let (name, extra, comment, disk) = (f.u16()?, f.u16()?, f.u16()?, f.u16()?);
        f.bytes(6)?;
        let offset = f.u32()?;
        let name = f.bytes(usize::from(name))?.to_vec();
        let extra = f.bytes(usize::from(extra))?;
        f.bytes(usize::from(comment))?;
        let mut large = Large::of(extra)?;
        let (size, packed, offset) = (large.or(size)?, large.or(packed)?, large.or(offset)?);
        refuse_packed(&name, flags, method, packed == size)?;
        if disk != 0 {
            return Err("it is one of several".into());
        }
        Ok(Listed { flags, crc, size, offset, name })
    }
}

/// The header before a member, which must say what the list says. Gives where the member begins.
fn local(file: &Section, listed: &Listed) -> Result<u64, String> {
    let header: [u8; 30] = file.exactly(listed.offset)?;
    let mut f = Fields(&header);
    let differ = || format!("its two headers of {} differ", String::from_utf8_lossy(&listed.name).escape_debug());
    if f.bytes(4)? != b"PK\x03\x04" {
        return Err(differ());
    }
    f.bytes(2)?;
    let (flags, method) = (f.u16()?, f.u16()?);
    f.bytes(4)?;
    let (crc, packed, size) = (f.crc()?, f.u32()?, f.u32()?);
    let (name_size, extra_size) = (f.u16()?, f.u16()?);
    let mut rest = vec![0; usize::from(name_size) + usize::from(extra_size)];
    let at = listed.offset + 30;
    if file.fill(at, &mut rest).map_err(|e| e.to_string())? != rest.len() {
        return Err(CUT.into());
    }
    let mut r = Fields(&rest);
    let name = r.bytes(usize::from(name_size))?;
    let mut large = Large::of(r.0)?;
    let (size, packed) = (large.or(size)?, large.or(packed)?);
    refuse_packed(name, flags, method, packed == size)?;
    if name != listed.name || size != listed.size || crc != listed.crc || flags != listed.flags {
        return Err(differ());
    }
    Ok(at + u64::from(name_size) + u64::from(extra_size))
}

fn refuse_packed(name: &[u8], flags: u16, method: u16, same_size: bool) -> Result<(), String> {
    if flags & !UTF8 == 0 && method == 0 && same_size {
        return Ok(());
    }
    let name = String::from_utf8_lossy(name);
    Err(format!("{} is compressed or encrypted: unpack the zip and give the directory", name.escape_debug()))
}

/// The values that did not fit into 32 bits (zip64 extended information, APPNOTE 4.5.3), in their order.
struct Large<'a>(Fields<'a>);

impl<'a> Large<'a> {
    fn of(extra: &'a [u8]) -> Result<Large<'a>, String> {
        let mut fields = Fields(extra);
        let mut found = Fields(&[]);
        while !fields.0.is_empty() {
            let (id, size) = (fields.u16()?, fields.u16()?);
            let value = fields.bytes(usize::from(size))?;
            if id == 1 {
                found = Fields(value);
            }
        }
        Ok(Large(found))
    }

    fn or(&mut self, value: u64) -> Result<u64, String> {
        if value == ELSEWHERE { self.0.u64() } else { Ok(value) }
    }
}

/// Little-endian fields, one behind the other.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn bytes(&mut self, count: usize) -> Result<&'a [u8], String> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(CUT)?;
        self.0 = rest;
        Ok(taken)
    }

    fn number(&mut self, count: usize) -> Result<u64, String> {
        Ok(self.bytes(count)?.iter().rev().fold(0, |n, b| n << 8 | u64::from(*b)))
    }

    fn u16(&mut self) -> Result<u16, String> {
        u16::try_from(self.number(2)?).map_err(|e| e.to_string())
    }

    fn u32(&mut self) -> Result<u64, String> {
        self.number(4)
    }

    fn u64(&mut self) -> Result<u64, String> {
        self.number(8)
    }

    fn crc(&mut self) -> Result<u32, String> {
        u32::try_from(self.number(4)?).map_err(|e| e.to_string())
    }
}
