//! Changing one value in a policy's text, leaving the rest with its remarks as it is.
//!
//! The change is made on lines, and then believed only if reading the result gives exactly the policy that was wanted.

use crate::policy::file::{self, PolicyFile};

/// The text with that value, or `None` where it cannot be changed in place (a value over several lines, for instance).
/// `wanted` is what the result must say.
pub fn with_value(text: &str, key: &str, value: &str, wanted: &PolicyFile) -> Option<String> {
    let keys: &[&str] = if key == "cap" { &["cap.move", "cap.week"] } else { &[key] };
    let rendered = file::render(wanted);
    let mut next = text.to_string();
    for key in keys {
        let (table, name) = key.split_once('.')?;
        next = match find(&rendered, table, name) {
            Some(line) => put(&next, table, name, assignment(rendered.lines().nth(line)?)),
            // What the text of ours does not state is the default: the line goes.
            None if matches!(value, "any" | "none") => take(&next, table, name),
            None => return None,
        };
    }
    (file::parse(&next, "policy.toml").ok()? == *wanted).then_some(next)
}

/// `move = "500USD"`, without what stands behind it.
fn assignment(line: &str) -> &str {
    // None of our values holds a number sign.
    line.split_once('#').map_or(line, |(code, _)| code).trim_end()
}

/// The number of the line that states `name` in `[table]`.
fn find(text: &str, table: &str, name: &str) -> Option<usize> {
    let mut inside = false;
    for (i, line) in text.lines().enumerate() {
        let code = line.trim();
        if code.starts_with('[') {
            inside = code.strip_prefix('[').is_some_and(|c| c.split(']').next() == Some(table));
        } else if inside && code.strip_prefix(name).is_some_and(|rest| rest.trim_start().starts_with('=')) {
            return Some(i);
        }
    }
    None
}

/// Puts a line in the place of the one that states the value, keeping a remark behind it; else below the table's head;
/// else, with the head, at the end of the tables that are not lists.
fn put(text: &str, table: &str, name: &str, line: &str) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_string).collect();
    if let Some(i) = find(text, table, name)
        && let Some(old) = lines.get_mut(i)
    {
        let remark = old.split_once('#').map(|(_, remark)| format!("  #{remark}"));
        *old = format!("{line}{}", remark.unwrap_or_default());
    } else if let Some(head) = lines.iter().position(|l| l.trim() == format!("[{table}]")) {
        lines.insert(head + 1, line.to_string());
    } else {
        let end = lines.iter().position(|l| l.trim_start().starts_with("[[")).unwrap_or(lines.len());
        lines.splice(end..end, [format!("[{table}]"), line.to_string(), String::new()]);
    }
    lines.join("\n") + "\n"
}

/// Takes the line out that states the value.
fn take(text: &str, table: &str, name: &str) -> String {
    let gone = find(text, table, name);
    text.lines().enumerate().filter(|(i, _)| Some(*i) != gone).map(|(_, l)| format!("{l}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edited(text: &str, key: &str, value: &str) -> Option<String> {
        let mut wanted = file::parse(text, "policy.toml").unwrap();
        file::set(&mut wanted, key, value).unwrap();
        with_value(text, key, value, &wanted)
    }

    const OURS: &str = "version = 1\n# my reasons\n[cap]\nmove = \"1000USD\"  # at once\nweek = \"10000USD\"\n\n[[action]]\n\
                        integration = \"github\"\naction = \"deployment.*\"\npoints = [\"production\"]\n";

    #[test]
    fn one_line_changes_and_remarks_stay() {
        let text = edited(OURS, "cap.move", "500USD").unwrap();
        assert_eq!(text, OURS.replace("\"1000USD\"", "\"500USD\""));
        let text = edited(OURS, "cap", "5EUR,50EUR").unwrap();
        assert_eq!(text, OURS.replace("\"1000USD", "\"5EUR").replace("10000USD", "50EUR"));
    }

    #[test]
    fn what_is_not_there_is_added() {
        let text = edited(OURS, "requests.wait", "2h").unwrap();
        assert!(text.contains("[requests]\nwait = \"2h\"\n\n[[action]]"), "{text}");
        let text = edited(OURS, "approvers.production", "2").unwrap();
        assert!(text.contains("[approvers]\nproduction = 2\n"), "{text}");
    }

    #[test]
    fn what_goes_is_taken_out() {
        let with = edited(OURS, "review.owner", "op-1").unwrap();
        assert!(with.contains("owner = \"op-1\""), "{with}");
        let without = edited(&with, "review.owner", "any").unwrap();
        assert!(!without.contains("owner ="), "{without}");
    }

    #[test]
    fn a_list_over_lines_is_left_to_a_person() {
        let text = "version = 1\n[boundary]\ndestinations = [\n  \"a.example\",\n]\n";
        assert_eq!(edited(text, "boundary.destinations", "b.example"), None);
        let text = "version = 1\n[boundary]\ndestinations = [\"a.example\"]\n";
        assert_eq!(edited(text, "boundary.destinations", "b.example").unwrap(), text.replace("a.ex", "b.ex"));
    }
}
