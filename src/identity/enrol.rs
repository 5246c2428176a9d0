use super::{IdentityError, Signer, is_origin};
use data_encoding::BASE64;
use std::fmt;

const TAG: &str = "aosctl-operator-v1";

/// What a new identity signs to prove that it has its secret (log-format.md, Authority):
/// `aosctl/enrol/v1` ‖ 00 ‖ origin ‖ 00 ‖ public key.
pub fn enrolment_message(origin: &str, public_key: &[u8; 32]) -> Vec<u8> {
    [b"aosctl/enrol/v1\0", origin.as_bytes(), b"\0", public_key].concat()
}

/// The public half of a new operator identity, as its owner hands it to an operator who enrols it: one line
/// of printable ASCII, `aosctl-operator-v1 BASE64(public key) BASE64(proof) ORIGIN`, single spaces between.
///
/// Parsing checks the form only. Whether the key is sound and the proof is its signature over
/// [`enrolment_message`], the log room decides by its strict rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnrolmentLine {
    /// The new identity's public key.
    pub public_key: [u8; 32],
    /// The proof of possession.
    pub proof: [u8; 64],
    /// The origin of the log that it asks to be enrolled in; the proof is good for no other.
    pub origin: String,
}

impl EnrolmentLine {
    /// The line of a new identity, with its proof.
    ///
    /// # Errors
    /// [`IdentityError::BadOrigin`].
    pub fn create(signer: &Signer, origin: &str) -> Result<Self, IdentityError> {
        if !is_origin(origin) {
            return Err(IdentityError::BadOrigin(origin.to_owned()));
        }
        let public_key = signer.public();
        let proof = signer.sign(&enrolment_message(origin, &public_key));
        Ok(Self { public_key, proof, origin: origin.to_owned() })
    }

    /// Reads a line; one line end (LF or CR LF) after it is allowed, nothing else.
    ///
    /// # Errors
    /// [`IdentityError::MalformedLine`].
    pub fn parse(line: &str) -> Result<Self, IdentityError> {
        use IdentityError::MalformedLine;
        let line = line.strip_suffix('\n').map_or(line, |rest| rest.strip_suffix('\r').unwrap_or(rest));
        let mut parts = line.split(' ');
        let mut part = || parts.next().ok_or(MalformedLine("it has not four parts"));
        let (tag, key, proof, origin) = (part()?, part()?, part()?, part()?);
        if tag != TAG {
            return Err(MalformedLine("it does not start with aosctl-operator-v1"));
        }
        if parts.next().is_some() {
            return Err(MalformedLine("it has more than four parts"));
        }
        if !is_origin(origin) {
            return Err(MalformedLine("its last part is not the origin of a log"));
        }
        Ok(Self {
            public_key: from_base64(key).ok_or(MalformedLine("its public key is not 32 bytes of base64"))?,
            proof: from_base64(proof).ok_or(MalformedLine("its proof is not 64 bytes of base64"))?,
            origin: origin.to_owned(),
        })
    }
}

impl fmt::Display for EnrolmentLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (key, proof) = (BASE64.encode(&self.public_key), BASE64.encode(&self.proof));
        write!(f, "{TAG} {key} {proof} {}", self.origin)
    }
}

fn from_base64<const N: usize>(text: &str) -> Option<[u8; N]> {
    // The length first, so that a huge text is not decoded; `BASE64` insists on padding and zero trailing bits.
    if text.len() != N.div_ceil(3) * 4 {
        return None;
    }
    BASE64.decode(text.as_bytes()).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ed25519_dalek::{Signature, VerifyingKey};
    use proptest::prelude::*;

    const ORIGIN: &str = "aosctl/0123456789abcdef0123456789abcdef";

    fn line() -> EnrolmentLine {
        EnrolmentLine::create(&Signer::from_seed(&[7; 32]), ORIGIN).unwrap()
    }

    #[test]
    fn round_trip_and_a_proof_that_verifies() {
        let text = line().to_string();
        assert!(text.bytes().all(|byte| (0x20..0x7f).contains(&byte)));
        for end in ["", "\n", "\r\n"] {
            assert_eq!(EnrolmentLine::parse(&format!("{text}{end}")).unwrap(), line());
        }
        let mut message = b"aosctl/enrol/v1\0".to_vec();
        message.extend(ORIGIN.bytes());
        message.push(0);
        message.extend(line().public_key);
        let key = VerifyingKey::from_bytes(&line().public_key).unwrap();
        key.verify_strict(&message, &Signature::from_bytes(&line().proof)).unwrap();
        EnrolmentLine::create(&Signer::from_seed(&[7; 32]), "elsewhere").unwrap_err();
    }

    #[test]
    fn anything_else_is_refused() {
        let good = line().to_string();
        let key = BASE64.encode(&line().public_key);
        let loose_bits = format!("{}{}=", &key[..42], "D");
        for bad in [
            String::new(),
            good.replace(TAG, "aosctl-operator-v2"),
            good.replace(' ', "  "),
            format!(" {good}"),
            format!("{good} "),
            format!("{good} comment"),
            format!("{good}\n\n"),
            good.replace(' ', "\t"),
            good.replace(&key, &key[..43]),
            good.replace(&key, &loose_bits),
            good.replace(&key, &BASE64.encode(&[0; 31])),
            good.replace("aosctl/0", "aosctl/G"),
            good.rsplit_once(' ').unwrap().0.to_owned(),
        ] {
            EnrolmentLine::parse(&bad).expect_err(&bad);
        }
    }

    proptest! {
        #[test]
        fn garbage_never_panics_and_nothing_has_two_forms(text in "\\PC*", at: prop::sample::Index, byte in 0x20..0x7fu8) {
            let _ = EnrolmentLine::parse(&text);
            let mut changed = line().to_string().into_bytes();
            let at = at.index(changed.len());
            changed[at] = byte;
            let changed = String::from_utf8(changed).unwrap();
            if let Ok(parsed) = EnrolmentLine::parse(&changed) {
                prop_assert_eq!(parsed.to_string(), changed);
            }
        }
    }
}
