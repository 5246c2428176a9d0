//! An object is an object. serde also reads a struct from a list of its members' values, which the format does not know: two
//! verifiers would then judge one entry in two ways.

use serde_json::Value;

/// Members that are lists wherever they are not text, as docs/verify/events.txt has them. One that is missing here costs a
/// second reading, and nothing else.
const LISTS: [&str; 20] = [
    "accepted",
    "action",
    "actions",
    "alternatives",
    "approvals",
    "argv",
    "confirmed",
    "decisions",
    "destinations",
    "environment",
    "files",
    "frozen",
    "kinds",
    "members",
    "open",
    "permission",
    "points",
    "programs",
    "revoked",
    "scope",
];

/// Whether canonical bytes may hold a list where an object belongs: a list in a list, or one under another name than those
/// above. Says yes too often, never too seldom; looking costs less than reading twice.
pub(super) fn is_suspect(body: &[u8]) -> bool {
    let (mut in_text, mut escaped) = (false, false);
    body.iter().enumerate().any(|(at, byte)| {
        match (in_text, escaped, byte) {
            (true, true, _) => escaped = false,
            (true, false, b'\\') => escaped = true,
            (_, _, b'"') => in_text = !in_text,
            (false, _, b'[') => {
                let named = body.get(..at).and_then(|before| before.strip_suffix(b"\":"));
                let name = named.and_then(|named| named.rsplit(|b| *b == b'"').next());
                return name.is_none_or(|name| !LISTS.iter().any(|list| list.as_bytes() == name));
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

    /// The table of the format, which the second verifier reads, knows what is an object.
    #[test]
    fn no_object_has_the_name_of_a_list() {
        let table = include_str!("../../../docs/verify/events.txt");
        let rows = |section: &str| {
            let (_, rest) = table.split_once(&format!("\n[{section}]\n")).unwrap();
            rest.split("\n[").next().unwrap().lines().filter_map(|row| row.split_once(" = ")).collect::<Vec<_>>()
        };
        let (objects, events) = (rows("objects"), rows("events"));
        let members = objects.iter().chain(&events).flat_map(|(_, row)| {
            let members = row.rsplit(" | ").next().unwrap();
            members.split(' ').filter_map(|member| member.split_once(':')).collect::<Vec<_>>()
        });
        let is_object = |kind: &str| kind.split(',').any(|one| objects.iter().any(|(name, _)| *name == one));
        let named: Vec<&str> =
            members.filter(|(_, kind)| is_object(kind)).map(|(name, _)| name.trim_end_matches(['?', '~'])).collect();
        assert!(named.len() > 20 && named.contains(&"facets") && named.contains(&"seen"), "{named:?}");
        assert!(named.iter().all(|name| !super::LISTS.contains(name)), "{named:?}");
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
