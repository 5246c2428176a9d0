use super::*;

const ORIGIN: &str = "aosctl/0123456789abcdef0123456789abcdef";

/// A file that another implementation sealed (pyca/cryptography 48 for X25519 and HKDF, its own XChaCha20 on top of
/// HChaCha20 and ChaCha20-Poly1305; `tests/oracles/vault/vault.py`), opened here.
#[test]
fn what_another_implementation_sealed_opens() {
    let bytes = include_bytes!("vectors/attended.sealed");
    let file = File::parse(bytes).unwrap();
    assert_eq!((file.origin.as_str(), file.item.as_str(), file.is_attended()), (ORIGIN, "k-3", true));
    let signer = Signer::from_seed(&[7; 32]);
    assert_eq!(file.open_as(&signer).unwrap().expose(), b"sk_live_other_implementation");
    let bytes = include_bytes!("vectors/unattended.sealed");
    let file = File::parse(bytes).unwrap();
    assert_eq!(file.open_under(&Zeroizing::new([5; 32])).unwrap().expose(), b"unattended");
    assert_eq!(file.open_under(&Zeroizing::new([6; 32])).unwrap_err(), Closed::OtherVaultKey);
}

#[test]
fn padding() {
    for length in [1, 2, 251, 252, 253, 508, 509, MAX_SECRET] {
        let secret = vec![b'x'; length];
        let padded = pad(&secret);
        assert_eq!(padded.len() % BLOCK, 0);
        assert!(padded.len() < length + LENGTH + BLOCK);
        assert_eq!(unpad(padded).unwrap().as_slice(), secret);
    }
    for bad in [&[][..], &[0, 0, 0], &[0; 255], &[0xff; 256], &[0; 512], &[[0, 0, 0, 1].as_slice(), &[1; 252]].concat()]
    {
        assert!(unpad(Bytes::new(bad.to_vec())).is_none(), "{bad:?}");
    }
}

#[test]
fn only_one_form_is_read() {
    let secret = Secret::new(Bytes::new(b"x".to_vec())).unwrap();
    let file = File::attended(ORIGIN, "k-1", &secret, &[Signer::from_seed(&[7; 32]).public()], None).unwrap();
    let good = String::from_utf8(file.to_json().unwrap()).unwrap();
    assert_eq!(File::parse(good.as_bytes()).unwrap(), file);
    for bad in [
        good.trim_end().to_string(),
        format!("{good}\n"),
        format!(" {good}"),
        good.replace(',', ", "),
        good.replace("\"k-1\"", "\"k\\u002d1\""),
        good.replacen('{', "{\"item\":\"k-1\",", 1),
        good.replacen('{', "{\"x\":1,", 1),
        good.replace("/v1", "/v2"),
        good.replace("xchacha20poly1305", "none"),
        good.replace("attended", "unattended"),
        good.replace("\"attended\"", "\"else\""),
        good.replace("\"kind\"", "\"signature\":\"00\",\"kind\""),
        format!("[{}]\n", good.trim_end()),
        "x".repeat(MAX_FILE + 1),
        String::new(),
    ] {
        assert!(File::parse(bad.as_bytes()).is_err(), "{}", &bad[..bad.len().min(300)]);
    }
    // Upper-case hex says the same and is another form: it parses as text, and opens nothing.
    let upper = File { nonce: file.nonce.to_uppercase(), ..file.clone() };
    assert!(upper.open_as(&Signer::from_seed(&[7; 32])).is_err() || upper.nonce == file.nonce);
}
