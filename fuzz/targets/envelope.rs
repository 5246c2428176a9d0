//! Envelopes, headers and payload records: what opens has one spelling. The first byte chooses: the envelope itself, a header
//! to be put into one (base64 hides it from the fuzzer), or a payload.
#![no_main]

use aosctl::log::envelope::{Envelope, PAYLOAD_TYPE};
use aosctl::log::header::Header;
use aosctl::log::key::PublicKey;
use aosctl::log::payload::Record;
use aosctl::log::verify::{SeenPayload, check_signature, inspect, inspect_line};
use data_encoding::BASE64;
use libfuzzer_sys::fuzz_target;

fn envelope(bytes: &[u8]) {
    let seen = inspect(bytes, None);
    let opened = Envelope::open(bytes);
    // The signature of nobody: whatever the bytes are, no key of ours signed them.
    assert!(check_signature(&seen, &PublicKey([9; 32])).is_err());
    match opened {
        Ok(e) => {
            assert!(seen.form_fault().is_none() && seen.header() == Some(&e.header));
            assert_eq!(Header::parse(&e.body).as_ref(), Ok(&e.header));
            assert_eq!(e.header.to_jcs(), e.body);
            let again = Envelope::seal(&e.header, |_| e.sig).expect("what opened can be sealed");
            assert_eq!(again.bytes, bytes, "another spelling of the same envelope");
            assert_eq!(again.leaf_hash(), seen.leaf());
        }
        Err(_) => assert!(
            seen.form_fault().is_some()
                || seen.header().is_none()
                || check_signature(&seen, &PublicKey([9; 32])).is_err()
        ),
    }
}

fn header(bytes: &[u8]) {
    if let Ok(header) = Header::parse(bytes) {
        assert_eq!(header.to_jcs(), bytes, "another spelling of the same header");
    }
    let key = serde_json::from_slice::<serde_json::Value>(bytes).ok();
    let key = key.as_ref().and_then(|v| v["key"].as_str()).unwrap_or_default();
    let text = format!(
        "{{\"payload\":\"{}\",\"payloadType\":\"{PAYLOAD_TYPE}\",\"signatures\":[{{\"keyid\":\"{key}\",\"sig\":\"{}\"}}]}}",
        BASE64.encode(bytes),
        BASE64.encode(&[7; 64])
    );
    envelope(text.as_bytes());
    if Header::parse(bytes).is_ok() {
        assert!(Envelope::open(text.as_bytes()).is_ok(), "a header that parses, in an envelope that does not open");
    }
}

fn payload(bytes: &[u8]) {
    let record = Record::parse(bytes);
    let seen = inspect(b"", Some(bytes)).payload;
    match (&record, &seen) {
        (Ok(record), SeenPayload::Read { commit, fault: None, body: Some(range), erased }) => {
            assert_eq!(record.to_jcs().as_deref(), Ok(bytes), "another spelling of the same record");
            assert_eq!(record.commit().as_ref(), Ok(commit));
            assert!(serde_json::from_slice::<serde_json::Value>(&bytes[range.clone()]).is_ok());
            assert!(erased.iter().eq(record.erased.keys()));
        }
        (Err(_), SeenPayload::Unreadable(_) | SeenPayload::Read { fault: Some(_), .. }) => {}
        both => panic!("the two readers disagree: {both:?}"),
    }
    if let Ok((seq, record)) = Record::parse_line(bytes) {
        assert_eq!(record.to_line(seq).as_deref(), Ok(bytes));
        assert!(matches!(inspect_line(b"", Some(bytes)).payload, SeenPayload::Read { fault: None, .. }));
    }
}

fuzz_target!(|data: &[u8]| {
    match data.split_first() {
        Some((b'h', rest)) => header(rest),
        Some((b'p', rest)) => payload(rest),
        Some((b'e', rest)) => envelope(rest),
        _ => envelope(data),
    }
});
