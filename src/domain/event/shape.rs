//! An object is an object. serde also reads a struct from a list of its members' values, which the format does not know: two
//! verifiers would then judge one entry in two ways.

use serde_json::Value;

/// Members that are objects, where they are not text.
const OBJECTS: [&str; 22] = [
    "amount",
    "artifacts",
    "boundary",
    "caps",
    "carries",
    "command",
    "declared",
    "delivery",
    "detail",
    "facets",
    "facts",
    "grants",
    "narrower",
    "place",
    "program",
    "reference",
    "requests",
    "review",
    "rotation",
    "rules",
    "sealed",
    "seen",
];

/// Whether canonical bytes may hold a list where an object belongs: a list in a list, or one under such a name. Says yes too
/// often, never too seldom; looking costs less than reading twice.
pub(super) fn is_suspect(body: &[u8]) -> bool {
    let (mut in_text, mut escaped) = (false, false);
    body.iter().enumerate().any(|(at, byte)| {
        match (in_text, escaped, byte) {
            (true, true, _) => escaped = false,
            (true, false, b'\\') => escaped = true,
            (_, _, b'"') => in_text = !in_text,
            (false, _, b'[') => {
                let named = body.get(..at).and_then(|before| before.strip_suffix(b"\":"));
                return named.is_none_or(|named| OBJECTS.iter().any(|name| named.ends_with(name.as_bytes())));
            }
            _ => {}
        }
        false
    })
}

/// Whether `read`, what was understood, is of the shape of `given`: a list nowhere where an object was meant.
pub(super) fn is_same(given: &Value, read: &Value) -> bool {
    match (given, read) {
        (Value::Array(_), Value::Object(_)) => false,
        (Value::Array(given), Value::Array(read)) => given.iter().zip(read).all(|(g, r)| is_same(g, r)),
        (Value::Object(given), Value::Object(read)) => {
            given.iter().all(|(name, g)| read.get(name).is_none_or(|r| is_same(g, r)))
        }
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::Event;

    #[test]
    fn only_lists_in_odd_places_are_looked_at_again() {
        for fine in [r#"{"points":["money"],"summary":"[a] \"[b\", \\"}"#, r#"{"a":"x\\","points":[]}"#] {
            assert!(!super::is_suspect(fine.as_bytes()), "{fine}");
        }
        for odd in [r#"{"facets":[]}"#, r#"{"decisions":[["g-1"]]}"#, r#"{"x":"\\","decisions":[{},["g-1"]]}"#] {
            assert!(super::is_suspect(odd.as_bytes()), "{odd}");
        }
    }

    #[test]
    fn a_list_is_no_object() {
        let right = json!({"action": "x.y", "resource": "repo:a/b", "access": "read", "facets": {}, "agent": "ag-1",
            "approvers": 0, "decision": "deny", "points": [], "policy": "0".repeat(64), "request": "r-1",
            "rule": "grant.none", "tier": "low", "until": "2026-11-22T00:00:00.000Z"});
        let judged = json!({"as_of": "2026-11-22T00:00:00.000Z", "decisions": [{"item": "g-1", "advice": "keep",
            "decision": "keep"}], "entries": 1, "review": "rv-202611"});
        let read = |name: &str, body: &serde_json::Value| {
            let bytes = Event::parse_bytes(name, body.to_string().as_bytes()).unwrap();
            assert_eq!(bytes.is_ok(), Event::parse(name, body.as_object().unwrap()).unwrap().is_ok());
            bytes.map(drop)
        };
        assert_eq!(read("request.made/1", &right), Ok(()));
        assert_eq!(read("review.decided/1", &judged), Ok(()));
        let mut wrong = right;
        wrong["facets"] = json!([]);
        assert!(read("request.made/1", &wrong).is_err());
        let mut wrong = judged;
        wrong["decisions"] = json!([["g-1", "keep", "keep"]]);
        assert!(read("review.decided/1", &wrong).is_err());
        wrong["decisions"] = json!([{"item": "g-1", "advice": "keep", "decision": "keep"}, ["g-1", "keep", "keep"]]);
        assert!(read("review.decided/1", &wrong).is_err());
    }
}
