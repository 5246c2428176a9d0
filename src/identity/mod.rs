//! Signing identities: create, seal, unlock, sign. Ed25519 everywhere (RFC 8032).
//!
//! - An operator's identity is sealed under a passphrase ([`SealedIdentity`]); unlocking it costs an Argon2id run.
//! - A witness's identity ([`WitnessIdentity`]) belongs to no log: it cosigns checkpoints of any.
//! - An agent's and the log's identity lie open in a file of mode 0600 ([`PlainIdentity`]), because nobody is
//!   there to type a passphrase. See SECURITY.md for what that does not hold against.
//!
//! This room turns bytes into identities and back; `sys::files` reads and writes the files.

mod agree;
mod enrol;
mod error;
mod kdf;
mod passphrase;
mod plain;
mod recovery;
mod sealed;
mod signer;
mod stream;
mod witness;

pub use agree::{agree_with, agreement_key};
pub use enrol::{EnrolmentLine, enrolment_message};
pub use error::IdentityError;
pub use passphrase::{MAX_PASSPHRASE_BYTES, MIN_PASSPHRASE_CHARS, Passphrase};
pub use plain::{PlainIdentity, PlainKind};
pub use sealed::SealedIdentity;
pub use signer::Signer;
pub use stream::{OpenedStream, SealedStream, StreamError};
pub use witness::WitnessIdentity;

/// The most that an identity file can hold, in bytes; the largest real one is about 700.
pub const MAX_IDENTITY_FILE_BYTES: usize = 4096;

/// Whether `id` is `<prefix>-` and a number as log-format.md has it: `[1-9][0-9]{0,14}`.
fn is_id(id: &str, prefix: &str) -> bool {
    id.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('-')).is_some_and(|number| {
        !number.starts_with('0') && (1..=15).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// Whether `origin` is a log's origin as log-format.md has it: `aosctl/` and 32 lowercase hex digits.
fn is_origin(origin: &str) -> bool {
    origin
        .strip_prefix("aosctl/")
        .is_some_and(|hex| hex.len() == 32 && hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')))
}

/// Exactly `N` bytes from lowercase hex.
fn from_hex<const N: usize>(member: &'static str, hex: &str) -> Result<[u8; N], IdentityError> {
    let mut bytes = [0; N];
    let wrong = || IdentityError::Malformed(format!("`{member}` is not {N} bytes of lowercase hex"));
    if hex.len() != N * 2 {
        return Err(wrong());
    }
    match data_encoding::HEXLOWER.decode_mut(hex.as_bytes(), &mut bytes) {
        Ok(_) => Ok(bytes),
        Err(_) => {
            zeroize::Zeroize::zeroize(&mut bytes);
            Err(wrong())
        }
    }
}

/// Refuses a file that says the right thing in another form than the one that aosctl writes; only the LF at its
/// end may be missing. That leaves no room for a second reading: spaces, escapes, arrays for objects.
fn require_canonical(file: &[u8], written: &[u8]) -> Result<(), IdentityError> {
    if file == written || Some(file) == written.strip_suffix(b"\n") {
        return Ok(());
    }
    Err(IdentityError::Malformed("it is not canonical JSON with exactly the known members".to_owned()))
}

/// What `serde_json` says about a file, without any of the file's content: serde quotes wrong values and
/// unknown names, and a file given by mistake may hold another secret.
fn malformed(error: &serde_json::Error) -> IdentityError {
    let what = match error.classify() {
        serde_json::error::Category::Data => "a member is missing, unknown, doubled or of the wrong kind",
        serde_json::error::Category::Eof => "it ends too early",
        _ => "it is not JSON",
    };
    IdentityError::Malformed(format!("{what} (line {}, column {})", error.line(), error.column()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_and_origins() {
        for good in ["op-1", "op-999999999999999"] {
            assert!(is_id(good, "op"), "{good}");
        }
        for bad in ["op-0", "op-01", "op-", "op", "ag-1", "op-1000000000000000", "op-+1", "op-1\n", "op-١", ""] {
            assert!(!is_id(bad, "op"), "{bad}");
        }
        assert!(is_origin("aosctl/0123456789abcdef0123456789abcdef"));
        for bad in ["aosctl/0123456789ABCDEF0123456789abcdef", "aosctl/0123", "", "0123456789abcdef0123456789abcdef"] {
            assert!(!is_origin(bad), "{bad}");
        }
    }
}
