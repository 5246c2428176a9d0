use super::{IdentityError, MAX_IDENTITY_FILE_BYTES, Signer, from_hex, is_id, is_origin, malformed, require_canonical};
use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// Whose identity it is that lies open in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlainKind {
    /// An agent's; its id is `ag-N`.
    Agent,
    /// The log's own; its id is `log`.
    Log,
}

impl PlainKind {
    fn tag(self) -> &'static str {
        match self {
            Self::Agent => "agent-identity/v1",
            Self::Log => "log-identity/v1",
        }
    }

    fn owns(self, id: &str) -> bool {
        match self {
            Self::Agent => is_id(id, "ag"),
            Self::Log => id == "log",
        }
    }
}

/// An identity that lies open in a file, which must have mode 0600: an agent's or the log's.
///
/// The file is one JSON object in canonical form (RFC 8785) and one LF, with exactly these members:
/// `{"aosctl":"agent-identity/v1","id":"ag-2","origin":"aosctl/...","public_key":hex,"seed":hex}`, or with
/// `log-identity/v1` and the id `log`.
#[derive(Debug)]
pub struct PlainIdentity {
    kind: PlainKind,
    id: String,
    origin: String,
    signer: Signer,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File<'a> {
    aosctl: &'a str,
    id: &'a str,
    origin: &'a str,
    public_key: &'a str,
    // Borrowed, so that reading and writing leave no copy of it.
    seed: &'a str,
}

impl PlainIdentity {
    /// Names a signing identity for its file.
    ///
    /// # Errors
    /// [`IdentityError::BadId`], [`IdentityError::BadOrigin`].
    pub fn new(kind: PlainKind, id: &str, origin: &str, signer: Signer) -> Result<Self, IdentityError> {
        if !kind.owns(id) {
            return Err(IdentityError::BadId(id.to_owned()));
        }
        if !is_origin(origin) {
            return Err(IdentityError::BadOrigin(origin.to_owned()));
        }
        Ok(Self { kind, id: id.to_owned(), origin: origin.to_owned(), signer })
    }

    /// Reads the content of a file.
    ///
    /// # Errors
    /// [`IdentityError::Malformed`] for anything but the exact format, [`IdentityError::KeyMismatch`], or as
    /// [`PlainIdentity::new`].
    pub fn parse(kind: PlainKind, bytes: &[u8]) -> Result<Self, IdentityError> {
        if bytes.len() > MAX_IDENTITY_FILE_BYTES {
            return Err(IdentityError::Malformed("it is too large".to_owned()));
        }
        let file: File = serde_json::from_slice(bytes).map_err(|error| malformed(&error))?;
        if file.aosctl != kind.tag() {
            return Err(IdentityError::Malformed(format!("it is not of the kind `{}`", kind.tag())));
        }
        let seed = Zeroizing::new(from_hex::<32>("seed", file.seed)?);
        let signer = Signer::from_seed(&seed);
        if signer.public() != from_hex::<32>("public_key", file.public_key)? {
            return Err(IdentityError::KeyMismatch);
        }
        let identity = Self::new(kind, file.id, file.origin, signer)?;
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
        let file =
            File { aosctl: self.kind.tag(), id: &self.id, origin: &self.origin, public_key: &public_key, seed: &seed };
        // Large enough from the start: a buffer that grows leaves copies behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(1024));
        serde_json::to_writer(&mut *bytes, &file).map_err(|_| IdentityError::Internal("writing JSON"))?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// Whose identity it is.
    pub fn kind(&self) -> PlainKind {
        self.kind
    }

    /// The id: `ag-N` or `log`.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The origin of the log that it belongs to.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The signing identity.
    pub fn signer(&self) -> &Signer {
        &self.signer
    }

    /// The signing identity, taken out.
    pub fn into_signer(self) -> Signer {
        self.signer
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ORIGIN: &str = "aosctl/0123456789abcdef0123456789abcdef";

    fn json(kind: PlainKind, id: &str) -> String {
        let identity = PlainIdentity::new(kind, id, ORIGIN, Signer::from_seed(&[7; 32])).unwrap();
        String::from_utf8(identity.to_json().unwrap().to_vec()).unwrap()
    }

    #[test]
    fn the_format_is_fixed() {
        assert_eq!(
            json(PlainKind::Agent, "ag-2"),
            "{\"aosctl\":\"agent-identity/v1\",\"id\":\"ag-2\",\
             \"origin\":\"aosctl/0123456789abcdef0123456789abcdef\",\
             \"public_key\":\"ea4a6c63e29c520abef5507b132ec5f9954776aebebe7b92421eea691446d22c\",\
             \"seed\":\"0707070707070707070707070707070707070707070707070707070707070707\"}\n"
        );
    }

    #[test]
    fn round_trips_and_shows_no_secret() {
        for (kind, id) in [(PlainKind::Agent, "ag-2"), (PlainKind::Log, "log")] {
            let text = json(kind, id);
            let back = PlainIdentity::parse(kind, text.as_bytes()).unwrap();
            assert_eq!((back.kind(), back.id(), back.origin()), (kind, id, ORIGIN));
            assert_eq!(back.signer().sign(b"x"), Signer::from_seed(&[7; 32]).sign(b"x"));
            assert_eq!(&**back.to_json().unwrap(), text.as_bytes());
            assert!(!format!("{back:?}").contains("0707"));
            assert_eq!(back.into_signer().public(), Signer::from_seed(&[7; 32]).public());
        }
        PlainIdentity::parse(PlainKind::Log, json(PlainKind::Agent, "ag-2").as_bytes()).unwrap_err();
    }

    #[test]
    fn anything_else_is_refused() {
        let good = json(PlainKind::Agent, "ag-2");
        let seed = "07".repeat(32);
        let public = HEXLOWER.encode(&Signer::from_seed(&[7; 32]).public());
        for (what, bad) in [
            ("unknown member", good.replace("{\"aosctl\"", "{\"x\":1,\"aosctl\"")),
            ("double member", good.replace("{\"aosctl\"", "{\"id\":\"ag-2\",\"aosctl\"")),
            ("missing member", good.replace("\"id\":\"ag-2\",", "")),
            ("null", good.replace("\"ag-2\"", "null")),
            ("other version", good.replace("/v1", "/v2")),
            ("operator id", good.replace("ag-2", "op-2")),
            ("id zero", good.replace("ag-2", "ag-0")),
            ("origin", good.replace("aosctl/0", "aosctl/G")),
            ("short seed", good.replace(&seed, &"07".repeat(31))),
            ("long seed", good.replace(&seed, &"07".repeat(33))),
            ("no hex", good.replace(&seed, &"0x".repeat(32))),
            ("uppercase hex", good.replace("ea4a", "EA4A")),
            ("other key", good.replace(&seed, &"08".repeat(32))),
            ("escapes", good.replace("ag-2", "ag\\u002d2")),
            ("two objects", good.repeat(2)),
            ("spaces", good.replace(',', ", ")),
            ("values without names", format!("[\"agent-identity/v1\",\"ag-2\",\"{ORIGIN}\",\"{public}\",\"{seed}\"]")),
            ("too large", format!("{good}{}", " ".repeat(4096))),
            ("array", format!("[{good}]")),
            ("empty", String::new()),
        ] {
            let error = PlainIdentity::parse(PlainKind::Agent, bad.as_bytes()).expect_err(what);
            let shown = format!("{error} {error:?}");
            assert!(!shown.contains("0707") && !shown.contains("0808"), "{what}: {shown}");
        }
        for cut in 0..good.len() - 1 {
            PlainIdentity::parse(PlainKind::Agent, &good.as_bytes()[..cut]).unwrap_err();
        }
    }

    proptest! {
        #[test]
        fn garbage_never_panics(bytes: Vec<u8>, at: usize, byte: u8) {
            let _ = PlainIdentity::parse(PlainKind::Agent, &bytes);
            let mut file = json(PlainKind::Agent, "ag-2").into_bytes();
            let at = at % file.len();
            file[at] = byte;
            let _ = PlainIdentity::parse(PlainKind::Agent, &file);
        }
    }
}
