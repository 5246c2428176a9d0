use super::SecretError;
use zeroize::Zeroizing;

/// The longest secret, in bytes.
pub const MAX_SECRET: usize = 65_536;

/// The last four characters of a shorter secret would give too much of it away.
const ENOUGH_FOR_LAST4: usize = 12;

/// A secret: 1 to [`MAX_SECRET`] bytes, wiped when it is dropped. `Debug` shows nothing of it, not even its length.
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// Exactly these bytes.
    ///
    /// # Errors
    /// [`SecretError::Empty`], [`SecretError::TooLong`].
    pub fn new(bytes: Zeroizing<Vec<u8>>) -> Result<Secret, SecretError> {
        match bytes.len() {
            0 => Err(SecretError::Empty),
            1..=MAX_SECRET => Ok(Secret(bytes)),
            _ => Err(SecretError::TooLong),
        }
    }

    /// What came in by standard input or lies in a file: one line loses its one line end (LF or CR LF), which `echo` and
    /// editors leave. A text of several lines keeps the last one, because what is so long (a PEM file) needs it.
    ///
    /// # Errors
    /// As [`Secret::new`].
    pub fn from_text(bytes: Zeroizing<Vec<u8>>) -> Result<Secret, SecretError> {
        let line = line_without_end(&bytes);
        if line.contains(&b'\n') { Secret::new(bytes) } else { Secret::without_end(bytes) }
    }

    /// What a program printed that adds one line end of its own to whatever it prints.
    ///
    /// # Errors
    /// As [`Secret::new`].
    pub(super) fn without_end(mut bytes: Zeroizing<Vec<u8>>) -> Result<Secret, SecretError> {
        let length = line_without_end(&bytes).len();
        bytes.truncate(length);
        Secret::new(bytes)
    }

    /// The first line of what a program printed.
    ///
    /// # Errors
    /// As [`Secret::new`].
    pub(super) fn first_line(mut bytes: Zeroizing<Vec<u8>>) -> Result<Secret, SecretError> {
        if let Some(end) = bytes.iter().position(|b| *b == b'\n') {
            bytes.truncate(end + 1);
        }
        Secret::without_end(bytes)
    }

    /// The secret itself, for handing it on, sealing it and comparing it.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// The last four characters, for telling credentials apart. `None` for a secret of fewer than twelve characters, of
    /// which they would give too much away, and for one with anything else than printable ASCII in it, as a PEM file.
    pub fn last4(&self) -> Option<String> {
        if self.0.len() < ENOUGH_FOR_LAST4 || !self.0.iter().all(u8::is_ascii_graphic) {
            return None;
        }
        let tail = self.0.get(self.0.len() - 4..)?;
        Some(String::from_utf8_lossy(tail).into_owned())
    }
}

/// Without one LF or CR LF at its end.
fn line_without_end(bytes: &[u8]) -> &[u8] {
    bytes.strip_suffix(b"\n").map_or(bytes, |line| line.strip_suffix(b"\r").unwrap_or(line))
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: &[u8]) -> Result<Vec<u8>, SecretError> {
        Secret::from_text(Zeroizing::new(bytes.to_vec())).map(|s| s.expose().to_vec())
    }

    #[test]
    fn one_line_loses_one_line_end_and_a_text_keeps_it() {
        for (given, kept) in [
            (&b"token"[..], &b"token"[..]),
            (b"token\n", b"token"),
            (b"token\r\n", b"token"),
            (b"token\r", b"token\r"),
            (b" token \n", b" token "),
            (b"token\n\n", b"token\n\n"),
            (b"-----BEGIN\nx\n-----END\n", b"-----BEGIN\nx\n-----END\n"),
            (b"\x00\xff\n", b"\x00\xff"),
        ] {
            assert_eq!(text(given).unwrap(), kept, "{given:?}");
        }
        for empty in [&b""[..], b"\n", b"\r\n"] {
            assert!(matches!(text(empty), Err(SecretError::Empty)), "{empty:?}");
        }
        let line = |b: &[u8]| Secret::without_end(Zeroizing::new(b.to_vec())).unwrap().expose().to_vec();
        assert_eq!(line(b"a\nb\n\n"), b"a\nb\n");
        let first = |b: &[u8]| Secret::first_line(Zeroizing::new(b.to_vec())).unwrap().expose().to_vec();
        assert_eq!((first(b"pw\r\nuser: x\n"), first(b"pw")), (b"pw".to_vec(), b"pw".to_vec()));
    }

    #[test]
    fn limits() {
        assert!(text(&[b'x'; MAX_SECRET]).is_ok());
        assert!(matches!(text(&[b'x'; MAX_SECRET + 1]), Err(SecretError::TooLong)));
        // The line end is no part of it.
        assert!(text(&[&[b'x'; MAX_SECRET][..], b"\n"].concat()).is_ok());
    }

    #[test]
    fn it_shows_nothing_and_the_end_of_long_ones_only() {
        let secret = Secret::from_text(Zeroizing::new(b"hunter2hunter2".to_vec())).unwrap();
        assert_eq!(format!("{secret:?} {secret:#?}"), "Secret(hidden) Secret(hidden)");
        assert_eq!(secret.last4().as_deref(), Some("ter2"));
        for short in [&b"hunter2"[..], b"12345678901", b"123456789 012", "1234567890é2".as_bytes(), b"1234567890\n12"]
        {
            assert_eq!(Secret::from_text(Zeroizing::new(short.to_vec())).unwrap().last4(), None, "{short:?}");
        }
    }
}
