//! Canonical JSON: what is read can be written and read again; the quick check and the careful one agree; what this parser
//! takes, a parser that is not ours takes too, with the same meaning.
#![no_main]

use aosctl::log::canonical::{BODY_LIMIT, check_canonical, check_foreign, parse, parse_canonical, to_vec};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let canonical = parse_canonical(data, BODY_LIMIT);
    assert_eq!(check_canonical(data, BODY_LIMIT), canonical.as_ref().map(drop).map_err(|fault| *fault));
    let parsed = parse(data, BODY_LIMIT);
    match &parsed {
        Ok(value) => {
            let written = to_vec(value).expect("what was parsed can be written");
            assert_eq!(canonical.is_ok(), written == data, "canonical is what is written");
            assert_eq!(parse_canonical(&written, BODY_LIMIT).as_ref(), Ok(value), "what was written says the same");
            assert_eq!(serde_json::from_slice::<serde_json::Value>(data).ok().as_ref(), Some(value), "others read it so");
        }
        Err(_) => assert!(canonical.is_err()),
    }
    if let Ok(text) = std::str::from_utf8(data)
        && data.len() <= 65_536
    {
        match check_foreign(text) {
            // A number beyond a float's range is JSON; serde_json refuses it all the same.
            Ok(()) => drop(serde_json::from_str::<serde_json::Value>(text).map_err(|e| {
                assert!(e.to_string().contains("number out of range"), "foreign JSON that others do not read: {e}");
            })),
            Err(_) => assert!(parsed.is_err(), "our JSON is foreign JSON too"),
        }
    }
});
