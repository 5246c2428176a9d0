//! A tar of plain files: POSIX.1-1988 ustar, every file of mode 0644 and owner 0, from 1970.

use std::io::Write;

use super::{Archive, Content, Counted, ExportError};

const BLOCK: usize = 512;
/// Eleven octal digits.
const MOST: u64 = 0o77_777_777_777;

/// A tar that is being written.
pub struct Tar<'w> {
    out: &'w mut dyn Write,
    what: String,
}

impl<'w> Tar<'w> {
    /// Begins one; `what` says in errors what is being written.
    pub fn new(out: &'w mut dyn Write, what: impl Into<String>) -> Tar<'w> {
        Tar { out, what: what.into() }
    }

    /// Ends it: two empty blocks.
    ///
    /// # Errors
    /// [`ExportError::Write`].
    pub fn finish(self) -> Result<(), ExportError> {
        self.out.write_all(&[0; 2 * BLOCK]).and_then(|()| self.out.flush()).map_err(ExportError::write(self.what))
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), ExportError> {
        self.out.write_all(bytes).map_err(ExportError::write(self.what.clone()))
    }
}

impl Archive for Tar<'_> {
    fn add(&mut self, name: &str, size: u64, content: &mut Content<'_>) -> Result<(), ExportError> {
        let header = header(name, size).ok_or_else(|| ExportError::TooLarge { name: name.into(), size })?;
        self.put(&header)?;
        let mut counted = Counted::new(self.out);
        content(&mut counted).map_err(|e| super::named(e, &self.what))?;
        counted.require(name, size)?;
        let over = usize::try_from(size % 512).unwrap_or(0);
        if over > 0 {
            self.put([0; BLOCK].get(over..).unwrap_or_default())?;
        }
        Ok(())
    }
}

/// The header block; `None` for a size or a name that it has no room for.
fn header(name: &str, size: u64) -> Option<[u8; BLOCK]> {
    let mut block = [0; BLOCK];
    let mut put = |at: usize, text: &[u8]| -> Option<()> {
        block.get_mut(at..at + text.len())?.copy_from_slice(text);
        Some(())
    };
    if name.len() > 100 || size > MOST {
        return None;
    }
    put(0, name.as_bytes())?;
    put(100, b"0000644\0")?;
    put(108, b"0000000\0")?;
    put(116, b"0000000\0")?;
    put(124, format!("{size:011o}\0").as_bytes())?;
    put(136, b"00000000000\0")?;
    // The sum is made with spaces in its own place.
    put(148, b"        ")?;
    put(156, b"0")?;
    put(257, b"ustar\x0000")?;
    put(329, b"0000000\0")?;
    put(337, b"0000000\0")?;
    let sum: u64 = block.iter().map(|&byte| u64::from(byte)).sum();
    block.get_mut(148..156)?.copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    Some(block)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_room_is_refused() {
        assert!(header("entries.jsonl", MOST).is_some());
        assert!(header("entries.jsonl", MOST + 1).is_none());
        assert!(header(&"n".repeat(101), 0).is_none());
        let mut out = Vec::new();
        let mut tar = Tar::new(&mut out, "x");
        let short = tar.add("a", 2, &mut |out| out.write_all(b"1").map_err(ExportError::write("a")));
        assert!(matches!(short, Err(ExportError::Changed { expected: 2, .. })));
    }
}
