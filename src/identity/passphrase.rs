use super::IdentityError;
use zeroize::Zeroizing;

/// The shortest passphrase that may be chosen, in characters.
pub const MIN_PASSPHRASE_CHARS: usize = 8;
/// The longest passphrase, in bytes of UTF-8.
pub const MAX_PASSPHRASE_BYTES: usize = 1024;

/// A passphrase as it was typed, wiped when it is dropped and never shown by `Debug`. It is not normalised:
/// the same bytes open what they sealed.
pub struct Passphrase(Zeroizing<String>);

impl Passphrase {
    /// A passphrase that is to open something.
    ///
    /// # Errors
    /// [`IdentityError::EmptyPassphrase`], [`IdentityError::LongPassphrase`].
    pub fn given(text: String) -> Result<Self, IdentityError> {
        let text = Zeroizing::new(text);
        match text.len() {
            0 => Err(IdentityError::EmptyPassphrase),
            1..=MAX_PASSPHRASE_BYTES => Ok(Self(text)),
            _ => Err(IdentityError::LongPassphrase),
        }
    }

    /// A new passphrase that is to seal something.
    ///
    /// # Errors
    /// As [`Passphrase::given`] and [`Passphrase::require_strength`].
    pub fn chosen(text: String) -> Result<Self, IdentityError> {
        Self::given(text)?.require_strength()
    }

    /// The passphrase in a file, without the one line end (LF or CR LF) that an editor leaves.
    ///
    /// # Errors
    /// [`IdentityError::PassphraseNotText`], or as [`Passphrase::given`].
    pub fn from_file(bytes: &[u8]) -> Result<Self, IdentityError> {
        let text = std::str::from_utf8(bytes).map_err(|_| IdentityError::PassphraseNotText)?;
        let text = text.strip_suffix('\n').map_or(text, |line| line.strip_suffix('\r').unwrap_or(line));
        Self::given(text.to_owned())
    }

    /// Refuses what should not seal anything new: too short, or impossible to type at a terminal.
    ///
    /// # Errors
    /// [`IdentityError::ShortPassphrase`], [`IdentityError::UntypablePassphrase`].
    pub fn require_strength(self) -> Result<Self, IdentityError> {
        let chars = self.0.chars().count();
        if self.0.chars().any(char::is_control) {
            return Err(IdentityError::UntypablePassphrase);
        }
        if chars < MIN_PASSPHRASE_CHARS {
            return Err(IdentityError::ShortPassphrase { chars });
        }
        Ok(self)
    }

    /// Whether two passphrases, both just typed by the same person, are the same.
    pub fn is_same(&self, other: &Self) -> bool {
        *self.0 == *other.0
    }

    /// Reads what was typed as something else than a passphrase, typed the same way: a recovery code.
    pub fn with_text<T>(&self, read: impl FnOnce(&str) -> T) -> T {
        read(&self.0)
    }

    pub(super) fn bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl std::fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Passphrase(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_chosen() {
        assert!(Passphrase::chosen("seven77".into()).unwrap_err().to_string().contains("has 7 characters"));
        assert!(matches!(Passphrase::chosen("ééééééé".into()), Err(IdentityError::ShortPassphrase { chars: 7 })));
        Passphrase::chosen("eight888".into()).unwrap();
        assert!(matches!(Passphrase::chosen("two\nlines".into()), Err(IdentityError::UntypablePassphrase)));
        assert!(matches!(Passphrase::given(String::new()), Err(IdentityError::EmptyPassphrase)));
        Passphrase::given("x".repeat(1024)).unwrap();
        assert!(matches!(Passphrase::given("x".repeat(1025)), Err(IdentityError::LongPassphrase)));
        assert!(!format!("{:?}", Passphrase::given("hunter".into()).unwrap()).contains("hunter"));
    }

    #[test]
    fn one_line_end_of_a_file_is_no_part_of_it() {
        for (file, inside) in [
            (&b"open sesame"[..], "open sesame"),
            (b"open sesame\n", "open sesame"),
            (b"open sesame\r\n", "open sesame"),
            (b"open sesame\n\n", "open sesame\n"),
            (b"open sesame\r", "open sesame\r"),
            (b" open sesame \n", " open sesame "),
        ] {
            assert_eq!(Passphrase::from_file(file).unwrap().bytes(), inside.as_bytes());
        }
        assert!(matches!(Passphrase::from_file(b"\r\n"), Err(IdentityError::EmptyPassphrase)));
        assert!(matches!(Passphrase::from_file(b"\xff"), Err(IdentityError::PassphraseNotText)));
    }
}
