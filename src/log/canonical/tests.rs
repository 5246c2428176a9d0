use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::scan::{unescape, utf16_order};
use super::*;

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        (-MAX_INTEGER..=MAX_INTEGER).prop_map(Value::from),
        any::<String>().prop_map(Value::String),
        "[\u{0}-\u{1f}\"\\\\/\u{e000}\u{ffff}\u{10000}]{0,6}".prop_map(Value::String),
    ];
    leaf.prop_recursive(6, 64, 8, |inner| {
        let name = prop_oneof![any::<String>(), "[\u{0}-\u{1f}a\"\\\\\u{d7ff}\u{e000}\u{ffff}\u{10000}]{0,4}"];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::Array),
            prop::collection::vec((name, inner), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_written_reads_back(value in any_value()) {
        let bytes = to_vec(&value).unwrap();
        prop_assert_eq!(parse(&bytes, BODY_LIMIT).unwrap(), value.clone());
        prop_assert_eq!(parse_canonical(&bytes, BODY_LIMIT).unwrap(), value);
        prop_assert_eq!(check_canonical(&bytes, BODY_LIMIT), Ok(()));
    }

    #[test]
    fn pretty_text_means_the_same(value in any_value()) {
        let text = serde_json::to_vec_pretty(&value).unwrap();
        prop_assert_eq!(to_vec(&parse(&text, BODY_LIMIT).unwrap()).unwrap(), to_vec(&value).unwrap());
    }

    #[test]
    fn hostile_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse(&bytes, DOC_LIMIT);
        let _ = check_canonical(&bytes, DOC_LIMIT);
    }

    /// The scanner and the emitter are two statements of one rule: they must never differ.
    #[test]
    fn scanner_agrees_with_the_emitter(text in "[\\[\\]{}\",:0-9a-c\\\\u. -]{0,24}") {
        let canonical = parse(text.as_bytes(), DOC_LIMIT)
            .is_ok_and(|value| to_vec(&value).unwrap() == text.as_bytes());
        prop_assert_eq!(scan::is_canonical(text.as_bytes(), MAX_DEPTH), canonical, "{}", text);
    }

    #[test]
    fn one_changed_byte_is_judged_alike(value in any_value(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = to_vec(&value).unwrap();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let slow = parse(&bytes, BODY_LIMIT).is_ok_and(|value| to_vec(&value).unwrap() == bytes);
        prop_assert_eq!(check_canonical(&bytes, BODY_LIMIT).is_ok(), slow);
    }

    #[test]
    fn order_is_that_of_utf16(a in any::<String>(), b in "[\u{d7ff}\u{e000}\u{ffff}\u{10000}\u{10ffff}]{0,3}", c in "[\u{d7ff}\u{e000}\u{ffff}\u{10000}\u{10ffff}]{0,3}") {
        for (x, y) in [(&a, &b), (&b, &c)] {
            prop_assert_eq!(utf16_order(x.as_bytes(), y.as_bytes()), x.encode_utf16().cmp(y.encode_utf16()));
        }
    }

    #[test]
    fn unescape_undoes_push_string(text in "[\u{0}-\u{20}a-c\"\\\\\u{e000}\u{10000}]{0,12}") {
        let mut out = Vec::new();
        push_string(&mut out, &text);
        let raw = &out[1..out.len() - 1];
        prop_assert_eq!(unescape(raw).into_owned(), text.into_bytes());
    }
}

#[test]
fn floats_and_huge_numbers_are_not_written() {
    assert_eq!(to_vec(&json!(1.5)).unwrap_err().kind(), "number_not_integer");
    assert_eq!(to_vec(&json!(u64::MAX)).unwrap_err().kind(), "number_out_of_range");
    assert_eq!(to_vec(&json!(MAX_INTEGER + 1)).unwrap_err().kind(), "number_out_of_range");
    assert_eq!(to_vec(&json!(i64::MIN)).unwrap_err().kind(), "number_out_of_range");
    let deep = (0..65).fold(json!(1), |inner, _| json!([inner]));
    assert_eq!(to_vec(&deep).unwrap_err().kind(), "too_deep");
}

#[test]
fn foreign_text_may_hold_any_number_but_not_more_bytes() {
    assert_eq!(check_foreign("[1e999,-0,1.50]"), Ok(()));
    let text = format!("\"{}\"", "x".repeat(FOREIGN_LIMIT - 2));
    assert_eq!(check_foreign(&text), Ok(()));
    assert_eq!(check_foreign(&format!("{text} ")).unwrap_err().kind(), "too_large");
}
