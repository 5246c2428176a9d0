//! Where the members of a tar lie: ustar (POSIX.1-1988), and GNU's spelling of it. Plain files and directories only.

use std::collections::BTreeMap;

use super::bundle::{CUT, Member, Section, keep, plain_name};

const BLOCK: u64 = 512;

type Header = [u8; 512];

/// Whether these bytes begin a ustar archive.
pub(super) fn is_header(block: &Header) -> bool {
    matches!(field(block, 257, 8), b"ustar\x0000" | b"ustar  \0")
}

/// The members of a whole archive.
///
/// # Errors
/// In words, where it is none, or holds what no bundle has.
pub(super) fn members(file: &Section) -> Result<BTreeMap<String, Member>, String> {
    let mut members = BTreeMap::new();
    let mut at = 0;
    loop {
        let block: Header = file.exactly(at)?;
        at += BLOCK;
        if block.iter().all(|b| *b == 0) {
            return only_zeros(file, at).map(|()| members);
        }
        let (name, kind, size) = header(&block)?;
        if kind == b'5' && size == 0 && name == b"./" {
            continue;
        }
        let name = plain_name(&name)?;
        match kind {
            b'0' | 0 if !name.ends_with('/') => keep(&mut members, name, Member { at, size, crc: None })?,
            b'5' if size == 0 => {}
            _ => return Err(format!("{} is no plain file: a bundle holds nothing else", name.escape_debug())),
        }
        let rounded = size.checked_next_multiple_of(BLOCK).ok_or(CUT)?;
        at = at.checked_add(rounded).filter(|end| *end <= file.len()).ok_or(CUT)?;
    }
}

/// Some readers stop at the first block of zeros, others read on: so nothing may follow, and the second must be there.
fn only_zeros(file: &Section, from: u64) -> Result<(), String> {
    let mut at = from;
    while at < file.len() {
        let mut buffer = [0; 8192];
        let read = file.fill(at, &mut buffer).map_err(|e| e.to_string())?;
        if buffer.iter().take(read).any(|b| *b != 0) {
            return Err("something follows the end of the archive".into());
        }
        if read == 0 {
            break;
        }
        at += u64::try_from(read).unwrap_or(u64::MAX);
    }
    if file.len() >= from + BLOCK { Ok(()) } else { Err(CUT.into()) }
}

/// Name, type and size.
fn header(block: &Header) -> Result<(Vec<u8>, u8, u64), String> {
    if !is_header(block) {
        return Err("a header in it is not ustar's".into());
    }
    let stored = octal(field(block, 148, 8)).ok_or("a header in it has no checksum")?;
    let sum: u64 =
        block.iter().enumerate().map(|(i, b)| if (148..156).contains(&i) { 32 } else { u64::from(*b) }).sum();
    if sum != stored {
        return Err("the checksum of a header in it is wrong".into());
    }
    let text = |at, length| field(block, at, length).split(|b| *b == 0).next().unwrap_or_default();
    // GNU uses the place of the prefix for other things.
    let prefix = if field(block, 257, 8) == b"ustar\x0000" { text(345, 155) } else { &[] };
    let mut name = prefix.to_vec();
    if !name.is_empty() {
        name.push(b'/');
    }
    name.extend_from_slice(text(0, 100));
    let size = number(field(block, 124, 12)).ok_or("the size of a member cannot be read")?;
    Ok((name, field(block, 156, 1).first().copied().unwrap_or(0), size))
}

fn field(block: &Header, at: usize, length: usize) -> &[u8] {
    block.get(at..at + length).unwrap_or_default()
}

/// Octal digits; or, with the highest bit set, GNU's binary for what is larger than 8 GiB.
fn number(field: &[u8]) -> Option<u64> {
    match field.split_first() {
        Some((0x80, rest)) => rest.iter().try_fold(0u64, |n, b| n.checked_mul(256)?.checked_add(u64::from(*b))),
        _ => octal(field),
    }
}

fn octal(field: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(field).ok()?.trim_matches([' ', '\0']);
    let plain = !text.is_empty() && text.bytes().all(|b| (b'0'..=b'7').contains(&b));
    plain.then(|| u64::from_str_radix(text, 8).ok())?
}
