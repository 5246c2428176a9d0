//! Files of any size, sealed under a passphrase: what a backup is.
//!
//! One line of canonical JSON, and then the content in chunks of 64 KiB, each sealed with XChaCha20-Poly1305. This is the
//! STREAM construction (Hoang, Reyhanitabar, Rogaway, Vizár, "Online Authenticated-Encryption and its Nonce-Reuse
//! Misuse-Resistance", <https://eprint.iacr.org/2015/189>), as age uses it: the nonce is 19 random bytes, the chunk's
//! number (4 bytes, big endian), and 1 for the last chunk or 0. So no chunk can be changed, moved, left out, taken from
//! another file, or added, and a file that was cut off is found out. The line is associated data of every chunk.

use super::kdf::{COST, Kdf};
use super::{IdentityError, Passphrase, from_hex};
use crate::sys::random;
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::io::{self, BufRead, Read, Write};
use zeroize::Zeroizing;

const TAG: &str = "backup/v1";
const AEAD: &str = "xchacha20poly1305-stream";
const CHUNK: usize = 65_536;
/// What Poly1305 adds to a chunk.
const SEAL: usize = 16;
/// No first line is longer, in bytes; ours has under 250.
const MAX_LINE: u64 = 1024;

/// Why a sealed file cannot be written or opened.
#[derive(Debug, thiserror::Error)]
pub enum StreamError {
    /// Its first line, or the key.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// Reading or writing failed.
    #[error("{0}")]
    Io(#[from] io::Error),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line<'a> {
    #[serde(borrow)]
    aead: Cow<'a, str>,
    #[serde(borrow)]
    aosctl: Cow<'a, str>,
    chunk: usize,
    #[serde(borrow)]
    kdf: Kdf<'a>,
    nonce: String,
}

/// The chunks' cipher, and where in the file it is.
struct Chunks {
    cipher: XChaCha20Poly1305,
    line: Vec<u8>,
    nonce: [u8; 19],
    next: u32,
}

impl Chunks {
    fn nonce(&mut self, last: bool) -> io::Result<XNonce> {
        let mut nonce = [0; 24];
        let (random, rest) = nonce.split_at_mut(19);
        random.copy_from_slice(&self.nonce);
        let (number, end) = rest.split_at_mut(4);
        number.copy_from_slice(&self.next.to_be_bytes());
        end.fill(u8::from(last));
        self.next = self.next.checked_add(1).ok_or_else(|| io::Error::other("it is larger than 256 TiB"))?;
        Ok(XNonce::from(nonce))
    }
}

/// Seals what is written. Without [`SealedStream::finish`] the file is one that was cut off.
pub struct SealedStream<W: Write> {
    chunks: Chunks,
    held: Zeroizing<Vec<u8>>,
    out: W,
}

impl<W: Write> SealedStream<W> {
    /// Begins a file. Costs an Argon2 run.
    ///
    /// # Errors
    /// What random bytes, Argon2 and writing give.
    pub fn begin(mut out: W, passphrase: &Passphrase) -> Result<Self, StreamError> {
        let (salt, nonce) = (random_bytes::<16>()?, random_bytes::<19>()?);
        let line = Line {
            aead: AEAD.into(),
            aosctl: TAG.into(),
            chunk: CHUNK,
            kdf: Kdf::of(COST, &salt),
            nonce: HEXLOWER.encode(&nonce),
        };
        let mut line = serde_json::to_vec(&line).map_err(|_| IdentityError::Internal("writing JSON"))?;
        line.push(b'\n');
        let cipher = COST.cipher(passphrase, &salt)?;
        out.write_all(&line)?;
        let chunks = Chunks { cipher, line, nonce, next: 0 };
        Ok(Self { chunks, held: Zeroizing::new(Vec::with_capacity(CHUNK)), out })
    }

    fn seal(&mut self, last: bool) -> io::Result<()> {
        let nonce = self.chunks.nonce(last)?;
        let payload = Payload { msg: &self.held, aad: &self.chunks.line };
        let sealed = self.chunks.cipher.encrypt(&nonce, payload).map_err(|_| io::Error::other("sealing a chunk"))?;
        self.held.clear();
        self.out.write_all(&sealed)
    }

    /// Seals the last chunk and gives back what it was written to.
    ///
    /// # Errors
    /// What writing gives.
    pub fn finish(mut self) -> io::Result<W> {
        self.seal(true)?;
        self.out.flush()?;
        Ok(self.out)
    }
}

impl<W: Write> Write for SealedStream<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // A full chunk is sealed when more comes: whether it is the last one is known then.
        if self.held.len() == CHUNK && !bytes.is_empty() {
            self.seal(false)?;
        }
        let (now, _) = bytes.split_at(bytes.len().min(CHUNK - self.held.len()));
        self.held.extend_from_slice(now);
        Ok(now.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Opens what was sealed. Nothing is given out of a chunk before the whole chunk was found to be right, and an end only
/// where the last chunk ends.
pub struct OpenedStream<R: BufRead> {
    chunks: Chunks,
    plain: Zeroizing<Vec<u8>>,
    given: usize,
    ended: bool,
    from: R,
}

impl<R: BufRead> OpenedStream<R> {
    /// Reads the first line and opens the first chunk. Costs an Argon2 run.
    ///
    /// # Errors
    /// [`IdentityError::Malformed`] for what is no such file, [`IdentityError::WrongPassphrase`] also where the first
    /// chunk was changed.
    pub fn open(mut from: R, passphrase: &Passphrase) -> Result<Self, StreamError> {
        let no = |what: &str| StreamError::Identity(IdentityError::Malformed(what.to_owned()));
        let mut line = Vec::new();
        from.by_ref().take(MAX_LINE).read_until(b'\n', &mut line)?;
        let read: Line = serde_json::from_slice(&line).map_err(|_| no("it is not a backup that aosctl made"))?;
        if read.aosctl != TAG || read.aead != AEAD || read.chunk != CHUNK {
            return Err(no("it is not a backup of a version that this aosctl knows"));
        }
        let (cost, salt) = read.kdf.read()?;
        let nonce = from_hex("nonce", &read.nonce)?;
        // One form only, as for identities.
        let mut written = serde_json::to_vec(&read).map_err(|_| IdentityError::Internal("writing JSON"))?;
        written.push(b'\n');
        if written != line {
            return Err(no("its first line is not as aosctl writes it"));
        }
        let cipher = cost.cipher(passphrase, &salt)?;
        let chunks = Chunks { cipher, line, nonce, next: 0 };
        let mut opened =
            Self { chunks, plain: Zeroizing::new(Vec::with_capacity(CHUNK)), given: 0, ended: false, from };
        match opened.next_chunk() {
            Err(e) if e.kind() == io::ErrorKind::InvalidData => Err(IdentityError::WrongPassphrase.into()),
            other => {
                other?;
                Ok(opened)
            }
        }
    }

    fn next_chunk(&mut self) -> io::Result<()> {
        let mut sealed = Vec::with_capacity(CHUNK + SEAL);
        let most = u64::try_from(CHUNK + SEAL).unwrap_or(u64::MAX);
        self.from.by_ref().take(most).read_to_end(&mut sealed)?;
        let last = self.from.fill_buf()?.is_empty();
        let wrong = || io::Error::new(io::ErrorKind::InvalidData, "it was changed or cut off");
        let nonce = self.chunks.nonce(last)?;
        let payload = Payload { msg: &sealed, aad: &self.chunks.line };
        self.plain = Zeroizing::new(self.chunks.cipher.decrypt(&nonce, payload).map_err(|_| wrong())?);
        (self.given, self.ended) = (0, last);
        Ok(())
    }
}

impl<R: BufRead> Read for OpenedStream<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.given == self.plain.len() && !self.ended {
            self.next_chunk()?;
        }
        let left = self.plain.get(self.given..).unwrap_or_default();
        let count = left.len().min(buffer.len());
        for (to, from) in buffer.iter_mut().zip(left) {
            *to = *from;
        }
        self.given += count;
        Ok(count)
    }
}

fn random_bytes<const N: usize>() -> Result<[u8; N], IdentityError> {
    Ok(random::bytes()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(text: &str) -> Passphrase {
        Passphrase::given(text.into()).unwrap()
    }

    fn sealed(content: &[u8]) -> Vec<u8> {
        let mut stream = SealedStream::begin(Vec::new(), &word("open sesame")).unwrap();
        stream.write_all(content).unwrap();
        stream.finish().unwrap()
    }

    fn opened(file: &[u8], passphrase: &str) -> Result<Vec<u8>, StreamError> {
        let mut content = Vec::new();
        OpenedStream::open(file, &word(passphrase))?.read_to_end(&mut content)?;
        Ok(content)
    }

    #[test]
    fn what_is_sealed_comes_back_at_every_size_around_a_chunk() {
        for size in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 2 * CHUNK + 7] {
            let content: Vec<u8> = (0..size).map(|i| u8::try_from(i % 251).unwrap()).collect();
            let file = sealed(&content);
            assert!(opened(&file, "open sesame").unwrap() == content, "{size}");
        }
        assert!(opened(&sealed(b"x"), "open says me").unwrap_err().to_string().contains("wrong passphrase"));
    }

    #[test]
    fn a_change_anywhere_is_found() {
        let content = vec![b'a'; 2 * CHUNK + 100];
        let file = sealed(&content);
        let line = file.iter().position(|b| *b == b'\n').unwrap() + 1;
        let chunk = CHUNK + SEAL;
        // Bits: in the line, in each chunk, in each seal.
        for at in [10, line - 3, line, line + chunk - 1, line + chunk, line + 2 * chunk + 50, file.len() - 1] {
            let mut bad = file.clone();
            bad[at] ^= 1;
            opened(&bad, "open sesame").expect_err(&at.to_string());
        }
        // Cut anywhere, between chunks too; with something behind its end; chunks swapped, doubled, dropped.
        for cut in [0, 5, line, line + 10, line + chunk, line + 2 * chunk, file.len() - 1] {
            opened(&file[..cut], "open sesame").expect_err(&cut.to_string());
        }
        opened(&[&file[..], b"x"].concat(), "open sesame").unwrap_err();
        let (head, first, second, end) = (
            &file[..line],
            &file[line..line + chunk],
            &file[line + chunk..line + 2 * chunk],
            &file[line + 2 * chunk..],
        );
        for parts in [[head, second, first, end], [head, first, first, end], [head, first, end, b""]] {
            opened(&parts.concat(), "open sesame").unwrap_err();
        }
        // A chunk of another file under the same passphrase.
        let other = sealed(&content);
        opened(&[head, &other[line..line + chunk], second, end].concat(), "open sesame").unwrap_err();
    }

    #[test]
    fn what_is_no_such_file_is_refused() {
        let file = sealed(b"x");
        for (from, to) in [("65536,\"name\"", "8,\"name\""), ("\"t\":3", "\"t\":1"), ("backup/v1", "backup/v2")] {
            let line = String::from_utf8_lossy(&file).replacen(from, to, 1);
            opened(line.as_bytes(), "open sesame").expect_err(to);
        }
        for bad in [&b""[..], b"\n", b"{}\n", b"SQLite format 3\0", &[b'{'; 5000]] {
            opened(bad, "open sesame").unwrap_err();
        }
    }
}
