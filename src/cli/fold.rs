//! Lines of ours that are wider than the screen: sentences fold at spaces, command lines so that they can be pasted.
//!
//! What comes in here is safe to show already (`cli::text`); nothing is escaped again.

use super::text;

/// What begins a command line inside a sentence: `an operator can open the door: aosctl connect ...`.
const COMMAND: &str = ": aosctl ";

/// A line, folded where it is wider than the screen: no line end at its end. A command line at the end of a sentence
/// moves to a row of its own, and is broken before its flags with backslashes. Other rows are indented by two.
pub fn line(line: &str, width: usize) -> String {
    if text::width(line) <= width {
        return line.to_string();
    }
    let indent: String = line.chars().take_while(|c| *c == ' ').collect();
    if line.trim_start().starts_with("aosctl ") {
        return command(line.trim_start(), &indent, width);
    }
    if let Some((said, typed)) = line.split_once(COMMAND) {
        return format!(
            "{}:\n{}",
            words(said, width.saturating_sub(1)),
            command(&format!("aosctl {typed}"), "  ", width)
        );
    }
    words(line, width)
}

/// A command line that may be pasted, broken before flags where it is wider than the screen. A flag stays with its value.
pub fn command(line: &str, indent: &str, width: usize) -> String {
    let mut out = String::new();
    let mut row = format!("{indent}{line}");
    while text::width(&row) > width {
        // Two cells are for the backslash.
        let fits = |at: &usize| text::width(row.get(..*at).unwrap_or_default()) + 2 <= width;
        let cuts = || row.match_indices(" --").map(|(at, _)| at).filter(|at| *at > indent.len() + 4);
        // A flag that is wider than the screen itself is left whole, and what follows it goes on below.
        let cut = cuts().filter(fits).last().or_else(|| cuts().next());
        let Some(at) = cut else { break };
        let (head, rest) = row.split_at(at);
        out.push_str(&format!("{head} \\\n"));
        row = format!("{indent}    {}", rest.trim_start());
    }
    out.push_str(&row);
    out
}

/// Text folded at spaces; a word wider than the screen is left whole, for a terminal to wrap.
fn words(line: &str, width: usize) -> String {
    let mut out = String::new();
    let mut used = 0;
    for (n, word) in line.split(' ').enumerate() {
        let wide = text::width(word);
        if n > 0 && used + 1 + wide > width {
            out.push_str("\n  ");
            used = 2;
        } else if n > 0 {
            out.push(' ');
            used += 1;
        }
        out.push_str(word);
        used += wide;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_stays() {
        assert_eq!(line("see it: aosctl request show r-1", 80), "see it: aosctl request show r-1");
        assert_eq!(line("  two spaces  stay", 80), "  two spaces  stay");
    }

    #[test]
    fn sentences_fold_at_spaces_and_lose_no_word() {
        let long = "one two three four five six seven";
        let folded = line(long, 14);
        assert_eq!(folded, "one two three\n  four five\n  six seven");
        assert_eq!(line("anunbreakableword here", 8), "anunbreakableword\n  here");
    }

    #[test]
    fn a_command_at_the_end_can_be_pasted() {
        let note = "an operator can open the door: aosctl connect github --agent build-bot --scope repo:acme/app";
        assert_eq!(
            line(note, 50),
            "an operator can open the door:\n  aosctl connect github --agent build-bot \\\n      --scope repo:acme/app"
        );
        assert_eq!(
            line("  aosctl thaw --reason because --dry-run", 30),
            "  aosctl thaw --reason \\\n".replace(" --reason", "") + "      --reason because \\\n      --dry-run"
        );
        assert_eq!(
            line("  aosctl deny r-1 --reason awordthatisfartoowide --dry-run --quiet", 28),
            "  aosctl deny r-1 \\\n      --reason awordthatisfartoowide \\\n      --dry-run --quiet"
        );
    }
}
