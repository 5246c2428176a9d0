//! Text that somebody else wrote, made safe to show (law 8).
//!
//! Agents, imports and providers are hostile wherever their words are shown: an escape sequence can move the
//! cursor over our own lines, a bidirectional override can turn `cod.exe` round, an invisible character can make
//! two names look the same. So everything that moves, hides or reorders is shown as a visible escape.
//!
//! # The rule
//! | in the text | shown as |
//! |---|---|
//! | `\` | `\\`, always, so that a shown backslash begins an escape or is the first of a pair |
//! | LF, CR, TAB | `\n`, `\r`, `\t` |
//! | the other controls below U+0080 | `\x1b`, two digits |
//! | any other hidden character, see [`is_hidden`] | `\u{202e}`, as few digits as it takes |
//! | a combining mark without a letter to stand on, or the third and later one on a letter | `\u{301}` |
//! | everything else | itself |
//!
//! On one line this can be read back, so two different texts never look the same because of an escape. Letters
//! that look alike in two scripts, and words written from right to left, are shown as they are: a terminal that
//! reorders Hebrew or Arabic words does that within their line.
//!
//! # Width
//! Widths are in cells, the sum over the characters by `unicode-width`. Where a terminal joins characters it
//! needs less; with joiners and variation selectors escaped, none needs more.

use std::borrow::Cow;
use std::fmt::Write;
use unicode_width::UnicodeWidthChar;

/// How many combining marks may stand on one character: what Vietnamese, Hebrew or a decomposed Hangul syllable
/// needs, and too few to paint over the lines above.
const MAX_MARKS: usize = 2;

/// `text` on one line, with everything hidden made visible.
pub fn safe(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for cell in Cells::new(text) {
        out.push_str(&cell.shown);
    }
    out
}

/// Text of several lines, wrapped to a width.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// What to print, each line with its margin, none wider than asked.
    pub lines: Vec<String>,
    /// How many more lines, wrapped the same way, were left out.
    pub hidden_lines: usize,
    /// How many bytes of the text are on the lines that were left out, line breaks not counted.
    pub hidden_bytes: usize,
}

impl Block {
    /// What was left out, for the line below the block: `3 more lines, 172 bytes`; `None` if nothing was.
    pub fn left_out(&self) -> Option<String> {
        let plural = |n| if n == 1 { "" } else { "s" };
        (self.hidden_lines > 0).then(|| {
            let (lines, bytes) = (self.hidden_lines, self.hidden_bytes);
            format!("{lines} more line{}, {bytes} byte{}", plural(lines), plural(bytes))
        })
    }
}

/// `text` as at most `max_lines` lines of at most `width` cells.
///
/// LF breaks a line (one at the very end starts no new one); all else is escaped as by [`safe`]. Lines too long
/// are wrapped after a space where there is one. Every line, wrapped ones too, begins with `margin` (`"  | "`), so
/// that no line of the text can be taken for one of ours. A margin that leaves no room is cut.
pub fn safe_block(text: &str, margin: &str, width: usize, max_lines: usize) -> Block {
    let margin = clip(margin, width.saturating_sub(1));
    let room = width.saturating_sub(self::width(margin));
    let mut block = Block { lines: Vec::new(), hidden_lines: 0, hidden_bytes: 0 };
    // Without a single cell nothing can be shown; then everything is one hidden line.
    let max_lines = if width == 0 { 0 } else { max_lines };
    for line in text.strip_suffix('\n').unwrap_or(text).split('\n').filter(|_| !text.is_empty()) {
        for part in wrap(line, room.max(1)) {
            if block.lines.len() < max_lines {
                block.lines.push(format!("{margin}{}", part.shown));
            } else {
                block.hidden_lines += 1;
                block.hidden_bytes += part.bytes;
            }
        }
    }
    block
}

/// The width of `text` in cells. A control character, which must not be shown anyway, counts as one.
pub fn width(text: &str) -> usize {
    text.chars().map(char_width).sum()
}

/// `text`, which is safe already, cut to at most `width` cells, with `…` in the last one where something is cut.
pub fn truncate(text: &str, width: usize) -> Cow<'_, str> {
    if self::width(text) <= width {
        return Cow::Borrowed(text);
    }
    match width.checked_sub(1) {
        Some(room) => Cow::Owned(format!("{}…", clip(text, room))),
        None => Cow::Borrowed(""),
    }
}

/// `text` with spaces after it up to `width` cells; a wider one stays as it is.
pub fn pad(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(self::width(text))))
}

/// `text` with spaces before it up to `width` cells, for numbers; a wider one stays as it is.
pub fn pad_left(text: &str, width: usize) -> String {
    format!("{}{text}", " ".repeat(width.saturating_sub(self::width(text))))
}

/// Whether a character cannot be seen, or moves or reorders what can. By Unicode 16, whole blocks where only
/// such characters live or where nothing is assigned yet:
///
/// - controls (Cc) and all format characters (Cf): bidirectional controls, zero-width ones, joiners, BOM, soft
///   hyphen, tags, interlinear annotation, invisible operators;
/// - the other default-ignorable ones: variation selectors, Hangul fillers, the grapheme joiner;
/// - spaces other than U+0020, line and paragraph separators, and letters that are blank (Braille, musical);
/// - private use, noncharacters, and the planes in which nothing is assigned, whose look nobody knows.
pub fn is_hidden(c: char) -> bool {
    let code = u32::from(c);
    c.is_control()
        || code & 0xfffe == 0xfffe
        || matches!(code,
            // default-ignorable or format, in code order
            0xad | 0x34f | 0x600..=0x605 | 0x61c | 0x6dd | 0x70f | 0x890..=0x891 | 0x8e2 | 0x115f..=0x1160
            | 0x17b4..=0x17b5 | 0x180b..=0x180f | 0x200b..=0x200f | 0x2028..=0x202e | 0x2060..=0x206f | 0x3164
            | 0xfe00..=0xfe0f | 0xfeff | 0xffa0 | 0xfff0..=0xfffc | 0x110bd | 0x110cd | 0x13430..=0x1345f
            | 0x16fe4 | 0x1bca0..=0x1bca3 | 0x1d173..=0x1d17a
            // blank: spaces (Zs), the empty Braille pattern, the empty note head
            | 0xa0 | 0x1680 | 0x2000..=0x200a | 0x202f | 0x205f | 0x2800 | 0x3000 | 0x1d159
            // private use, noncharacters, and everything from plane 4 on: tags and selectors live in plane 14
            | 0xe000..=0xf8ff | 0xfdd0..=0xfdef | 0x40000..)
}

fn char_width(c: char) -> usize {
    c.width().unwrap_or(1)
}

/// The longest start of `text` that fits into `room` cells, never one without its combining marks' base.
fn clip(text: &str, room: usize) -> &str {
    let mut used = 0;
    let end = text.char_indices().find(|(_, c)| {
        used += char_width(*c);
        used > room
    });
    end.map_or(text, |(at, _)| text.get(..at).unwrap_or(text))
}

fn escape(c: char) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = match c {
        '\\' => out.write_str("\\\\"),
        '\n' => out.write_str("\\n"),
        '\r' => out.write_str("\\r"),
        '\t' => out.write_str("\\t"),
        '\0'..='\x7f' => write!(out, "\\x{:02x}", u32::from(c)),
        _ => write!(out, "\\u{{{:x}}}", u32::from(c)),
    };
    out
}

/// What must stay together on a line: a character with its marks, or an escape.
struct Cell {
    shown: String,
    width: usize,
    /// How many bytes of the text it stands for.
    bytes: usize,
    /// Whether a line may break after it.
    space: bool,
}

struct Cells<'a> {
    chars: std::iter::Peekable<std::str::Chars<'a>>,
}

impl<'a> Cells<'a> {
    fn new(text: &'a str) -> Self {
        Self { chars: text.chars().peekable() }
    }
}

impl Iterator for Cells<'_> {
    type Item = Cell;

    fn next(&mut self) -> Option<Cell> {
        let first = self.chars.next()?;
        // A mark that comes first here has nothing to stand on: it would join our margin or an escape.
        if first == '\\' || is_hidden(first) || char_width(first) == 0 {
            let shown = escape(first);
            return Some(Cell { width: shown.len(), shown, bytes: first.len_utf8(), space: false });
        }
        let mut cell =
            Cell { shown: first.to_string(), width: char_width(first), bytes: first.len_utf8(), space: first == ' ' };
        let mut marks = 0;
        while first != ' ' && marks < MAX_MARKS {
            let Some(mark) = self.chars.next_if(|c| char_width(*c) == 0 && !is_hidden(*c)) else {
                break;
            };
            cell.shown.push(mark);
            cell.bytes += mark.len_utf8();
            marks += 1;
        }
        Some(cell)
    }
}

#[derive(Default)]
struct Part {
    shown: String,
    width: usize,
    bytes: usize,
}

/// One line of text as parts of at most `room` cells, at least one part; `room` is not 0.
fn wrap(line: &str, room: usize) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut part = Part::default();
    // What came after the last space, which moves on whole if it fits into a part of its own.
    let mut word = Part::default();
    let mut push = |part: &mut Part, word: &mut Part, cell: Cell| {
        if part.width + word.width + cell.width > room {
            if part.width == 0 || word.width + cell.width > room {
                join(part, word);
            }
            // Still without room? Then the part ends here, in the middle of a word where need be.
            if part.width + word.width + cell.width > room {
                parts.push(std::mem::take(part));
            }
        }
        word.shown.push_str(&cell.shown);
        word.width += cell.width;
        word.bytes += cell.bytes;
        if cell.space {
            join(part, word);
        }
    };
    for cell in Cells::new(line) {
        if cell.width <= room {
            push(&mut part, &mut word, cell);
            continue;
        }
        // Too wide for any part: an escape, or a wide character in a single cell, which is escaped then.
        let mut bytes = cell.bytes;
        let pieces =
            if cell.shown.is_ascii() { cell.shown } else { cell.shown.chars().map(escape).collect::<String>() };
        for piece in pieces.chars() {
            let bytes = std::mem::take(&mut bytes);
            push(&mut part, &mut word, Cell { shown: piece.into(), width: 1, bytes, space: false });
        }
    }
    join(&mut part, &mut word);
    parts.push(part);
    parts
}

fn join(part: &mut Part, word: &mut Part) {
    let word = std::mem::take(word);
    part.shown.push_str(&word.shown);
    part.width += word.width;
    part.bytes += word.bytes;
}

#[cfg(test)]
mod tests;
