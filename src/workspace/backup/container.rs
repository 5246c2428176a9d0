//! What lies inside the seal: a list of named files, one after the other (docs/recovery.md has it byte for byte).

use std::io::{self, Read, Write};

/// The first bytes.
const MAGIC: &[u8] = b"aosctl backup 1\n";
/// The longest name, in bytes.
const MAX_NAME: usize = 1024;

/// Writes the list.
pub struct Packer<W: Write> {
    out: W,
}

impl<W: Write> Packer<W> {
    /// Begins it.
    pub fn begin(mut out: W) -> io::Result<Packer<W>> {
        out.write_all(MAGIC)?;
        Ok(Packer { out })
    }

    /// Adds a file of exactly that size.
    pub fn add(&mut self, name: &str, size: u64, content: &mut dyn Read) -> io::Result<()> {
        let length = u16::try_from(name.len()).map_err(|_| io::Error::other("a file's name is too long"))?;
        self.out.write_all(&length.to_be_bytes())?;
        self.out.write_all(name.as_bytes())?;
        self.out.write_all(&size.to_be_bytes())?;
        let copied = io::copy(&mut content.take(size), &mut self.out)?;
        if copied == size { Ok(()) } else { Err(io::Error::other(format!("{name} became shorter while it was read"))) }
    }

    /// Ends it.
    pub fn finish(mut self) -> io::Result<W> {
        self.out.write_all(&[0, 0])?;
        Ok(self.out)
    }
}

/// Reads the list. Whatever is wrong with it is [`io::ErrorKind::InvalidData`].
pub struct Unpacker<R: Read> {
    from: R,
    left: u64,
}

fn wrong(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

impl<R: Read> Unpacker<R> {
    /// Begins it.
    pub fn begin(mut from: R) -> io::Result<Unpacker<R>> {
        let mut magic = [0; MAGIC.len()];
        from.read_exact(&mut magic)?;
        if magic != MAGIC {
            return Err(wrong("it holds no list of files that this aosctl knows"));
        }
        Ok(Unpacker { from, left: 0 })
    }

    /// The next file's name and size; `None` at the end, behind which there is nothing. What was not read of the one
    /// before is passed over.
    pub fn next_file(&mut self) -> io::Result<Option<(String, u64)>> {
        io::copy(&mut self.from.by_ref().take(self.left), &mut io::sink())?;
        let mut length = [0; 2];
        self.from.read_exact(&mut length)?;
        let length = usize::from(u16::from_be_bytes(length));
        if length == 0 {
            let more = self.from.read(&mut [0])?;
            return if more == 0 { Ok(None) } else { Err(wrong("something lies behind its end")) };
        }
        if length > MAX_NAME {
            return Err(wrong("a file's name is too long"));
        }
        let mut name = vec![0; length];
        self.from.read_exact(&mut name)?;
        let name = String::from_utf8(name).map_err(|_| wrong("a file's name is not text"))?;
        if !is_plain(&name) {
            return Err(wrong("a file's name leads elsewhere"));
        }
        let mut size = [0; 8];
        self.from.read_exact(&mut size)?;
        self.left = u64::from_be_bytes(size);
        Ok(Some((name, self.left)))
    }

    /// Copies the file that was named last.
    pub fn copy(&mut self, out: &mut dyn Write) -> io::Result<()> {
        let copied = io::copy(&mut self.from.by_ref().take(self.left), out)?;
        let left = std::mem::take(&mut self.left);
        if copied == left { Ok(()) } else { Err(wrong("a file in it is cut off")) }
    }
}

/// A name that stays where it is put: parts with `/` between, none of them empty, `.` or `..`.
fn is_plain(name: &str) -> bool {
    name.split('/').count() <= 8
        && name.split('/').all(|part| {
            !part.is_empty() && part != "." && part != ".." && part.len() <= 255 && !part.chars().any(char::is_control)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut p = Packer::begin(Vec::new()).unwrap();
        for (name, content) in files {
            p.add(name, content.len() as u64, &mut &content[..]).unwrap();
        }
        p.finish().unwrap()
    }

    #[test]
    fn files_come_back_in_their_order_and_can_be_passed_over() {
        let bytes = packed(&[("a", b"1"), ("b/c", b""), ("d", b"three")]);
        let mut u = Unpacker::begin(&bytes[..]).unwrap();
        assert_eq!(u.next_file().unwrap(), Some(("a".into(), 1)));
        assert_eq!(u.next_file().unwrap(), Some(("b/c".into(), 0)));
        assert_eq!(u.next_file().unwrap(), Some(("d".into(), 5)));
        let mut out = Vec::new();
        u.copy(&mut out).unwrap();
        assert_eq!(out, b"three");
        assert_eq!(u.next_file().unwrap(), None);
    }

    #[test]
    fn names_that_lead_elsewhere_and_lists_that_are_cut_are_refused() {
        for name in ["../x", "/etc/passwd", "a//b", "a/./b", "a/..", "a\nb", "", "1/2/3/4/5/6/7/8/9"] {
            let bytes = packed(&[(name, b"1")]);
            let mut u = Unpacker::begin(&bytes[..]).unwrap();
            assert!(u.next_file().is_err(), "{name:?}");
        }
        let bytes = packed(&[("a", b"12345")]);
        for cut in 0..bytes.len() {
            let all = || -> io::Result<()> {
                let mut u = Unpacker::begin(&bytes[..cut])?;
                while u.next_file()?.is_some() {
                    u.copy(&mut io::sink())?;
                }
                Ok(())
            };
            assert!(all().is_err(), "{cut}");
        }
        let longer = [&bytes[..], b"x"].concat();
        let mut u = Unpacker::begin(&longer[..]).unwrap();
        u.next_file().unwrap();
        assert!(u.next_file().is_err());
        let mut short = Packer::begin(Vec::new()).unwrap();
        assert!(short.add("a", 9, &mut &b"1"[..]).is_err());
    }
}
