//! Shapes that hostile text is given before it is shown: arguments in quotes, JSON with line breaks, wrapped lines.

use crate::cli::text::{safe, width};

/// One argument of a command, so that its beginning and end are certain: bare where it is plain, else in single quotes,
/// a quote inside as `\'`. Everything else is written as by [`safe`], where a backslash is always doubled, so `\'` can be
/// nothing else.
pub fn quoted(argument: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"._-@+=,%:/".contains(&b);
    if !argument.is_empty() && argument.bytes().all(plain) {
        return argument.to_string();
    }
    format!("'{}'", safe(argument).replace('\'', "\\'"))
}

/// Words, safe already, on lines of at most `room` cells: a line ends between two words where it can, and inside a word
/// only where that word is longer than a line, so that no space is ever lost at an end.
pub fn flow(words: &[String], room: usize) -> Vec<String> {
    let room = room.max(1);
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in words {
        if !line.is_empty() && width(&line) + 1 + width(word) <= room {
            line.push(' ');
            line.push_str(word);
            continue;
        }
        if !line.is_empty() {
            lines.push(std::mem::take(&mut line));
        }
        let mut used = 0;
        for c in word.chars() {
            let cells = width(c.encode_utf8(&mut [0; 4]));
            if used + cells > room && used > 0 {
                lines.push(std::mem::take(&mut line));
                used = 0;
            }
            line.push(c);
            used += cells;
        }
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

/// Deeper JSON is shown as it came: its indentation would be longer than its text.
const MAX_DEPTH: usize = 32;

/// JSON text with line breaks and indentation. Only white space between tokens is changed: names given twice, spellings
/// of numbers and escapes stay, because what is read here is what the tool is told. `None` where the text is not JSON.
pub fn pretty_json(text: &str) -> Option<String> {
    serde_json::from_str::<serde::de::IgnoredAny>(text).ok()?;
    let mut out = String::with_capacity(text.len() * 2);
    let mut depth = 0usize;
    let mut chars = text.chars().filter(|c| !c.is_ascii_control()).peekable();
    let newline = |out: &mut String, depth: usize| {
        out.push('\n');
        out.extend(std::iter::repeat_n("  ", depth));
    };
    while let Some(c) = chars.next() {
        match c {
            ' ' => {}
            '"' => {
                out.push(c);
                while let Some(c) = chars.next() {
                    out.push(c);
                    match c {
                        '\\' => out.extend(chars.next()),
                        '"' => break,
                        _ => {}
                    }
                }
            }
            '{' | '[' => {
                out.push(c);
                while chars.next_if_eq(&' ').is_some() {}
                if let Some(close) = chars.next_if(|n| matches!(n, '}' | ']')) {
                    out.push(close);
                    continue;
                }
                depth += 1;
                if depth > MAX_DEPTH {
                    return None;
                }
                newline(&mut out, depth);
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                newline(&mut out, depth);
                out.push(c);
            }
            ',' => {
                out.push(c);
                newline(&mut out, depth);
            }
            ':' => out.push_str(": "),
            other => out.push(other),
        }
    }
    Some(out)
}

/// The first 12 digits of a digest.
pub fn short_digest(hex: &str) -> String {
    let hex = safe(hex);
    hex.char_indices().nth(12).and_then(|(at, _)| hex.get(..at)).map_or(hex.clone(), |start| format!("{start}..."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_cannot_run_into_each_other() {
        for (argument, shown) in [
            ("deploy", "deploy"),
            ("", "''"),
            ("a b", "'a b'"),
            ("it's", "'it\\'s'"),
            ("\\'", "'\\\\\\''"),
            ("a\nb\x1b[2J", "'a\\nb\\x1b[2J'"),
            ("$(reboot)", "'$(reboot)'"),
            ("\u{202e}x", "'\\u{202e}x'"),
        ] {
            assert_eq!(quoted(argument), shown);
        }
    }

    #[test]
    fn words_flow_and_long_ones_break() {
        let words: Vec<String> = ["make", "'a b'", "abcdefghij"].map(String::from).to_vec();
        assert_eq!(flow(&words, 10), ["make 'a b'", "abcdefghij"]);
        assert_eq!(flow(&words, 4), ["make", "'a b", "'", "abcd", "efgh", "ij"]);
        assert!(flow(&[], 10).is_empty());
        assert_eq!(flow(&["漢字".into()], 1), ["漢", "字"]);
    }

    #[test]
    fn json_keeps_every_token() {
        assert_eq!(
            pretty_json(r#"{"a":1.0e3, "a":"x\"{},\n" ,"b":[],"c":[1,{"d":null}]}"#).unwrap(),
            "{\n  \"a\": 1.0e3,\n  \"a\": \"x\\\"{},\\n\",\n  \"b\": [],\n  \"c\": [\n    1,\n    {\n      \"d\": null\n    }\n  ]\n}"
        );
        assert_eq!(pretty_json(" 7 ").unwrap(), "7");
        assert_eq!(pretty_json("{\"a\" :\t1\r\n}").unwrap(), "{\n  \"a\": 1\n}");
        for not_json in ["", "{", "{}{}", "nope"] {
            assert_eq!(pretty_json(not_json), None);
        }
        assert_eq!(pretty_json(&"[".repeat(10_000)), None);
        assert_eq!(pretty_json(&format!("{}{}", "[".repeat(40), "]".repeat(40))), None);
    }

    #[test]
    fn digests_are_cut() {
        assert_eq!(short_digest("0123456789abcdef"), "0123456789ab...");
        assert_eq!(short_digest("0123"), "0123");
        assert_eq!(short_digest("éééééééééééééé"), "éééééééééééé...");
    }
}
