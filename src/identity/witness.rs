use super::{IdentityError, MAX_IDENTITY_FILE_BYTES, Signer, from_hex, malformed, require_canonical};
use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

const TAG: &str = "witness-identity/v1";

/// The longest name of a witness, in bytes.
const MAX_NAME: usize = 200;

/// The identity of a witness, which cosigns checkpoints of logs and signs nothing else. It lies open in a file of mode
/// 0600, because a witness runs while nobody is there to type a passphrase.
///
/// The file is one JSON object in canonical form (RFC 8785) and one LF, with exactly these members:
/// `{"aosctl":"witness-identity/v1","name":"w.example/ops","public_key":hex,"seed":hex}`.
#[derive(Debug)]
pub struct WitnessIdentity {
    name: String,
    signer: Signer,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File<'a> {
    aosctl: &'a str,
    name: &'a str,
    public_key: &'a str,
    // Borrowed, so that reading and writing leave no copy of it.
    seed: &'a str,
}

impl WitnessIdentity {
    /// Names a signing identity. A name is a URL without its scheme by custom (C2SP signed-note): printable ASCII without
    /// white space and `+`, which end a name in notes and keys, at most 200 bytes.
    ///
    /// # Errors
    /// [`IdentityError::BadId`].
    pub fn new(name: &str, signer: Signer) -> Result<Self, IdentityError> {
        if Self::may_be_called(name) {
            Ok(Self { name: name.to_owned(), signer })
        } else {
            Err(IdentityError::BadId(name.to_owned()))
        }
    }

    /// Whether that is a name by the rule of [`WitnessIdentity::new`].
    #[must_use]
    pub fn may_be_called(name: &str) -> bool {
        (1..=MAX_NAME).contains(&name.len())
            && name.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'+' | b'"' | b'\\'))
    }

    /// Reads the content of a file.
    ///
    /// # Errors
    /// [`IdentityError::Malformed`] for anything but the exact format, [`IdentityError::KeyMismatch`],
    /// [`IdentityError::BadId`].
    pub fn parse(bytes: &[u8]) -> Result<Self, IdentityError> {
        if bytes.len() > MAX_IDENTITY_FILE_BYTES {
            return Err(IdentityError::Malformed("it is too large".to_owned()));
        }
        let file: File = serde_json::from_slice(bytes).map_err(|error| malformed(&error))?;
        if file.aosctl != TAG {
            return Err(IdentityError::Malformed(format!("it is not of the kind `{TAG}`")));
        }
        let seed = Zeroizing::new(from_hex::<32>("seed", file.seed)?);
        let signer = Signer::from_seed(&seed);
        if signer.public() != from_hex::<32>("public_key", file.public_key)? {
            return Err(IdentityError::KeyMismatch);
        }
        let identity = Self::new(file.name, signer)?;
        require_canonical(bytes, &identity.to_json()?)?;
        Ok(identity)
    }

    /// The content of the file, one line. It holds the secret: write it with mode 0600 only.
    ///
    /// # Errors
    /// [`IdentityError::Internal`], which cannot happen.
    pub fn to_json(&self) -> Result<Zeroizing<Vec<u8>>, IdentityError> {
        let seed = Zeroizing::new(HEXLOWER.encode(self.signer.seed()));
        let public_key = HEXLOWER.encode(&self.signer.public());
        let file = File { aosctl: TAG, name: &self.name, public_key: &public_key, seed: &seed };
        // Large enough from the start: a buffer that grows leaves copies behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(1024));
        serde_json::to_writer(&mut *bytes, &file).map_err(|_| IdentityError::Internal("writing JSON"))?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The signing identity.
    pub fn signer(&self) -> &Signer {
        &self.signer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_exact_file_is_read() {
        let identity = WitnessIdentity::new("w.example/ops", Signer::from_seed(&[7; 32])).unwrap();
        let good = String::from_utf8(identity.to_json().unwrap().to_vec()).unwrap();
        assert_eq!(
            good,
            "{\"aosctl\":\"witness-identity/v1\",\"name\":\"w.example/ops\",\
             \"public_key\":\"ea4a6c63e29c520abef5507b132ec5f9954776aebebe7b92421eea691446d22c\",\
             \"seed\":\"0707070707070707070707070707070707070707070707070707070707070707\"}\n"
        );
        let back = WitnessIdentity::parse(good.as_bytes()).unwrap();
        assert_eq!((back.name(), back.signer().public()), ("w.example/ops", identity.signer().public()));
        assert!(!format!("{back:?}").contains("0707"));
        for bad in [
            good.replace("ops", "o ps"),
            good.replace("ops", "ops+"),
            good.replace("w.example/ops", ""),
            good.replace("/v1", "/v2"),
            good.replace(&"07".repeat(32), &"08".repeat(32)),
            good.replace(',', ", "),
            good.replace("{\"a", "{\"x\":1,\"a"),
            good.repeat(2),
        ] {
            let shown = WitnessIdentity::parse(bad.as_bytes()).unwrap_err().to_string();
            assert!(!shown.contains("0707") && !shown.contains("0808"), "{shown}");
        }
        for cut in 0..good.len() - 1 {
            WitnessIdentity::parse(&good.as_bytes()[..cut]).unwrap_err();
        }
    }
}
