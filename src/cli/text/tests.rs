use super::*;
use proptest::prelude::*;

/// Independent of `is_hidden`: the sets as the task of this room names them.
fn forbidden(c: char) -> bool {
    let named = "\u{200b}\u{200c}\u{200d}\u{2060}\u{feff}\u{ad}\u{61c}\u{200e}\u{200f}\u{202a}\u{202b}\u{202c}\
        \u{202d}\u{202e}\u{2066}\u{2067}\u{2068}\u{2069}\u{fff9}\u{fffa}\u{fffb}\u{115f}\u{1160}\u{3164}\u{ffa0}\
        \u{2800}\u{2028}\u{2029}\u{34f}\u{180e}\u{2061}\u{2062}\u{2063}\u{2064}\u{17b4}\u{17b5}\u{180b}";
    c.is_control()
        || named.contains(c)
        || (c.is_whitespace() && c != ' ')
        || ('\u{fe00}'..='\u{fe0f}').contains(&c)
        || ('\u{e0000}'..='\u{e0fff}').contains(&c)
        || ('\u{e000}'..='\u{f8ff}').contains(&c)
        || ('\u{fdd0}'..='\u{fdef}').contains(&c)
        || c >= '\u{f0000}'
        || (u32::from(c) & 0xffff) >= 0xfffe
}

fn assert_clean(line: &str) -> Result<(), TestCaseError> {
    prop_assert!(!line.chars().any(forbidden), "{line:?}");
    let mut marks = MAX_MARKS;
    for c in line.chars() {
        marks = match char_width(c) {
            0 => marks + 1,
            _ if c == ' ' => MAX_MARKS,
            _ => 0,
        };
        prop_assert!(marks <= MAX_MARKS, "{line:?}");
    }
    // What a terminal that joins characters needs is never more than what we count.
    prop_assert!(unicode_width::UnicodeWidthStr::width(line) <= width(line), "{line:?}");
    Ok(())
}

/// Reads back what `safe` wrote.
fn unescape(shown: &str) -> String {
    let mut out = String::new();
    let mut rest = shown.chars();
    while let Some(c) = rest.next() {
        let hex = |digits: String| char::from_u32(u32::from_str_radix(&digits, 16).unwrap()).unwrap();
        out.push(match c {
            '\\' => match rest.next().unwrap() {
                '\\' => '\\',
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                'x' => hex(rest.by_ref().take(2).collect()),
                'u' => hex(rest.by_ref().skip(1).take_while(|c| *c != '}').collect()),
                other => panic!("\\{other} in {shown}"),
            },
            c => c,
        });
    }
    out
}

/// Text that is worse than chance would make it.
fn nasty() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        any::<char>().prop_map(String::from),
        "[ -~]{1,12}",
        prop::sample::select(vec![
            "\\",
            "\\n",
            "\\x1b",
            "\\u{202e}",
            "\n",
            "\r\n",
            "\t",
            "\x1b[2J",
            "\u{9b}31m",
            "\u{202e}",
            "\u{2066}",
            "\u{200d}",
            "e\u{301}",
            "\u{301}\u{301}\u{301}",
            "👩\u{200d}🚀",
            "☃\u{fe0f}",
            "漢字",
            "한",
            "\u{1112}\u{1161}\u{11ab}",
            "שלום",
            "لا",
            "ᨕᨗ",
            "្ក",
            " ",
            "  ",
            "\u{e0041}",
            "\u{a0}",
            "\u{3000}",
            "👍🏽",
            "🇩🇪",
            "ⵏ⵿ⴾ",
        ])
        .prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

#[test]
fn what_is_shown() {
    for (text, shown) in [
        ("plain, ünïcode 漢字 🚀", "plain, ünïcode 漢字 🚀"),
        ("a\nb\r\tc", "a\\nb\\r\\tc"),
        ("\x1b[2J\x07\x7f\0", "\\x1b[2J\\x07\\x7f\\x00"),
        ("\u{9b}31m\u{85}", "\\u{9b}31m\\u{85}"),
        ("txt.\u{202e}exe", "txt.\\u{202e}exe"),
        ("a\u{200b}b\u{feff}", "a\\u{200b}b\\u{feff}"),
        ("C:\\new", "C:\\\\new"),
        ("\\u{202e}", "\\\\u{202e}"),
        ("\u{e0041}\u{f8ff}\u{10ffff}", "\\u{e0041}\\u{f8ff}\\u{10ffff}"),
        ("no\u{a0}break\u{3000}", "no\\u{a0}break\\u{3000}"),
        ("e\u{301}\u{302}\u{303}\u{304}", "e\u{301}\u{302}\\u{303}\\u{304}"),
        ("\u{301}e \u{301}\n\u{301}", "\\u{301}e \\u{301}\\n\\u{301}"),
        ("\u{1112}\u{1161}\u{11ab}", "\u{1112}\u{1161}\u{11ab}"),
    ] {
        assert_eq!(safe(text), shown);
    }
}

#[test]
fn every_character_that_takes_no_room_is_a_mark_or_hidden() {
    for c in ('\0'..=char::MAX).filter(|c| forbidden(*c)) {
        assert!(is_hidden(c), "{:x}", u32::from(c));
    }
    for c in ('\0'..=char::MAX).filter(|c| char_width(*c) == 0) {
        assert_eq!(safe(&c.to_string()), escape(c));
    }
    for c in ' '..='~' {
        assert!(!is_hidden(c));
    }
}

#[test]
fn blocks_wrap_at_spaces_and_say_what_is_hidden() {
    let block = safe_block("one two three\n\nDecision: allow\n", "| ", 11, 9);
    assert_eq!(block.lines, ["| one two ", "| three", "| ", "| Decision:", "|  allow"]);
    assert_eq!(block.left_out(), None);
    let block = safe_block("one two three\nabcdefghijkl\nlast", "| ", 11, 2);
    assert_eq!(block.lines, ["| one two ", "| three"]);
    assert_eq!((block.hidden_lines, block.hidden_bytes), (3, 16));
    assert_eq!(block.left_out().unwrap(), "3 more lines, 16 bytes");
    assert_eq!(safe_block("a", "", 80, 0).left_out().unwrap(), "1 more line, 1 byte");
    assert_eq!(safe_block("", "| ", 80, 5).lines.len(), 0);
    assert_eq!(safe_block("\n", "| ", 80, 5).lines, ["| "]);
    assert_eq!(safe_block("a\r\nb", "| ", 80, 5).lines, ["| a\\r", "| b"]);
    assert_eq!(safe_block("ab\u{202e}", "", 9, 5).lines, ["ab", "\\u{202e}"]);
    assert_eq!(safe_block("漢", "", 1, 9).lines.concat(), "\\u{6f22}");
    assert_eq!(safe_block("x", "", 0, 9).lines.len(), 0);
}

#[test]
fn cutting_and_padding() {
    assert_eq!(truncate("abcdef", 6), "abcdef");
    assert_eq!(truncate("abcdef", 4), "abc…");
    assert_eq!(truncate("漢字漢", 4), "漢…");
    assert_eq!(truncate("e\u{301}ab", 2), "e\u{301}…");
    assert_eq!(truncate("ab", 1), "…");
    assert_eq!(truncate("ab", 0), "");
    assert_eq!((pad("漢", 4), pad_left("7", 3), pad("abc", 2)), ("漢  ".into(), "  7".into(), "abc".into()));
}

proptest! {
    #[test]
    fn one_line_is_clean_and_can_be_read_back(text in nasty()) {
        let shown = safe(&text);
        assert_clean(&shown)?;
        prop_assert_eq!(unescape(&shown), text);
    }

    #[test]
    fn blocks_are_clean_narrow_and_complete(text in nasty(), margin in "[ |>]{0,4}", width in 0..30usize, max in 0..12usize) {
        let block = safe_block(&text, &margin, width, max);
        let clipped = clip(&margin, width.saturating_sub(1));
        for line in &block.lines {
            prop_assert!(self::width(line) <= width, "{line:?}");
            prop_assert!(line.starts_with(clipped));
            assert_clean(line)?;
        }
        prop_assert!(block.lines.len() <= max);
        let whole = safe_block(&text, &margin, width, usize::MAX);
        if width > 0 {
            prop_assert_eq!(whole.hidden_lines, 0);
            prop_assert_eq!(block.lines.len() + block.hidden_lines, whole.lines.len());
            prop_assert_eq!(&block.lines[..], &whole.lines[..block.lines.len()]);
        }
        if block.lines.is_empty() {
            prop_assert_eq!(block.hidden_bytes, text.bytes().filter(|byte| *byte != b'\n').count());
        }
        if width > 12 {
            let joined: String = whole.lines.iter().map(|line| &line[clipped.len()..]).collect();
            prop_assert_eq!(unescape(&joined), text.replace('\n', ""));
        }
    }

    #[test]
    fn cuts_fit(text in nasty(), width in 0..30usize) {
        let shown = safe(&text);
        prop_assert!(self::width(&truncate(&shown, width)) <= width);
        prop_assert!(self::width(&truncate(&text, width)) <= width);
        prop_assert!(self::width(&pad(&shown, width)) >= width);
    }
}
