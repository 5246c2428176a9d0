use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn sealed(body: &Value) -> Record {
    let mut count = 0;
    Record::seal(body.as_object().unwrap().clone(), || {
        count += 1;
        [count; 32]
    })
}

/// Both ways of reading must make the same of the same bytes.
fn agree(bytes: &[u8], form: Form) {
    let view = PayloadView::read(bytes, form);
    match Record::read(bytes, form) {
        Ok((record, seq, fault)) => {
            let mut view = view.unwrap();
            // One keeps the order of the text, the other that of a map.
            view.erased.sort_unstable();
            assert_eq!(view.commit, record.commit().unwrap());
            assert_eq!((view.seq, view.fault), (seq, fault));
            assert_eq!(view.erased, record.erased.into_keys().collect::<Vec<_>>());
            if let Some(body) = view.body {
                let body: Value = serde_json::from_slice(&bytes[body]).unwrap();
                assert_eq!(body, Value::Object(record.body));
            }
        }
        Err(fault) => assert_eq!(view, Err(fault)),
    }
}

#[test]
fn sealed_reads_back_and_erasing_keeps_the_commit() {
    let mut record = sealed(&json!({"note": "x", "a\n": [1, {"b": 2}], "\u{e000}": 1, "\u{1f600}": 2}));
    let commit = record.commit().unwrap();
    for form in [Form::Stored, Form::Line] {
        agree(&if form == Form::Line { record.to_line(7) } else { record.to_jcs() }.unwrap(), form);
    }
    assert_eq!(Record::parse(&record.to_jcs().unwrap()), Ok(record.clone()));
    for name in ["note", "a\n", "\u{1f600}"] {
        assert_eq!(record.erase(name), Ok(true));
        assert_eq!(record.erase(name), Ok(false));
        assert_eq!(record.commit(), Ok(commit));
        let line = record.to_line(7).unwrap();
        agree(&line, Form::Line);
        assert_eq!(Record::parse_line(&line), Ok((7, record.clone())));
        assert_eq!(PayloadView::read(&line, Form::Line).unwrap().commit, commit);
    }
}

#[test]
fn limits_of_the_body() {
    let deep = |levels: usize| (1..levels).fold(json!(0), |inner, _| json!([inner]));
    assert!(sealed(&json!({"a": deep(64)})).commit().is_ok());
    assert_eq!(sealed(&json!({"a": deep(65)})).commit().unwrap_err().kind(), "too_deep");
    let long = |bytes: usize| json!({"a": "x".repeat(bytes - 8)});
    assert!(sealed(&long(BODY_LIMIT)).commit().is_ok());
    assert_eq!(sealed(&long(BODY_LIMIT + 1)).commit().unwrap_err().kind(), "too_large");
    assert_eq!(sealed(&json!({"a": 1.5})).to_jcs().unwrap_err().kind(), "number_not_integer");
}

#[test]
fn records_that_do_not_fit_are_refused() {
    let good = sealed(&json!({"a": 1, "note": 2}));
    let mut no_salt = good.clone();
    no_salt.salts.remove("a");
    assert_eq!(no_salt.commit(), Err(PayloadFault::Salts));
    let mut both = good.clone();
    both.erased.insert("a".into(), Hash::ZERO);
    assert_eq!(both.to_jcs(), Err(PayloadFault::Erased));
    let line = good.to_line(3).unwrap();
    assert_eq!(Record::parse(&line), Err(PayloadFault::Members));
    assert_eq!(Record::parse_line(&good.to_jcs().unwrap()), Err(PayloadFault::Members));
    let text = String::from_utf8(line).unwrap();
    for bad in [
        text.replace(",\"salts\"", ",\"erased\":{},\"salts\""),
        text.replace("\"seq\":3", "\"seq\":-3"),
        text.replace("\"seq\":3", "\"seq\": 3"),
        text.replace("\"seq\":3", "\"seq\":3,\"x\":1"),
        text.replace("0101", "01FF"),
        text.replace("{\"a\":1,\"note\":2}", "[]"),
        text.replacen("\"note\"", "\"nota\"", 1),
        format!("{text}\n"),
    ] {
        assert!(Record::parse_line(bad.as_bytes()).is_err(), "{bad}");
        agree(bad.as_bytes(), Form::Line);
    }
}

proptest! {
    /// Whatever the names and whatever was erased, both readers find the commitment of the whole.
    #[test]
    fn commitments_survive_erasing(
        names in prop::collection::btree_map("[a-c\u{1}\"\\\\\u{d7ff}\u{e000}\u{ffff}\u{10000}]{0,4}", any::<bool>(), 0..8),
    ) {
        let body: Map<String, Value> = names.keys().map(|name| (name.clone(), json!([name, 1]))).collect();
        let mut record = sealed(&Value::Object(body));
        let commit = record.commit().unwrap();
        for (name, erase) in &names {
            if *erase {
                record.erase(name).unwrap();
            }
        }
        let line = record.to_line(1).unwrap();
        agree(&line, Form::Line);
        let view = PayloadView::read(&line, Form::Line).unwrap();
        prop_assert_eq!(view.commit, commit);
        prop_assert!(view.body.is_some());
    }

    #[test]
    fn readers_agree_on_damage(at in any::<prop::sample::Index>(), byte in any::<u8>(), erase in any::<bool>()) {
        let mut record = sealed(&json!({"a\u{1}": [true, null, {"x": -1}], "note": "n", "z": 2}));
        if erase {
            record.erase("note").unwrap();
        }
        let mut line = record.to_line(12).unwrap();
        let at = at.index(line.len());
        line[at] = byte;
        agree(&line, Form::Line);
    }
}
