//! Text that is safe already, folded into lines.

use unicode_width::UnicodeWidthChar;

use crate::cli::text::width;

/// Text folded at spaces into lines of at most `room` cells; a word that is wider than that is broken. What comes in is
/// safe already, so nothing is escaped again.
pub fn wrap(text: &str, room: usize) -> Vec<String> {
    let room = room.max(2);
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut used = 0;
    for word in text.split_inclusive(' ') {
        let wide = width(word.trim_end_matches(' '));
        if used > 0 && used + wide > room {
            lines.push(std::mem::take(&mut line).trim_end().to_string());
            used = 0;
        }
        for c in word.chars() {
            let cells = c.width().unwrap_or(1);
            // A space at the end of a line takes no room.
            if used + cells > room && c != ' ' {
                lines.push(std::mem::take(&mut line).trim_end().to_string());
                used = 0;
            }
            line.push(c);
            used += cells;
        }
    }
    lines.push(line.trim_end().to_string());
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_fold_at_spaces_and_lose_nothing() {
        assert_eq!(wrap("one two three four", 9), ["one two", "three", "four"]);
        assert_eq!(wrap("anunbreakableword here", 8), ["anunbrea", "kablewor", "d here"]);
        assert_eq!(wrap("日本語の長い名前", 6), ["日本語", "の長い", "名前"]);
        assert_eq!(wrap("", 6), [""]);
        // A mark stays with its letter.
        assert_eq!(wrap("abe\u{301}f", 3), ["abe\u{301}", "f"]);
        for room in 2..40 {
            let text = "g-12 scraper-bot → stripe charge:*, write, customer data";
            let lines = wrap(text, room);
            assert!(lines.iter().all(|l| width(l) <= room), "{room}: {lines:?}");
            assert_eq!(lines.concat().replace(' ', ""), text.replace(' ', ""));
        }
    }
}
