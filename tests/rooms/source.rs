//! Reads a Rust source file far enough to know which paths it names: no comments, no texts, `use` trees unfolded,
//! `super` resolved, `#[cfg(test)]` modules marked.

/// In a pattern: the path ends here.
pub const END: &str = "$";

/// A path that a file names, unfolded to the crate's root where it leads there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path {
    /// `["crate", "store", "Store"]`; a macro call ends in `!`.
    pub parts: Vec<String>,
    /// Counted from 1.
    pub line: usize,
    /// Inside a `#[cfg(test)]` module.
    pub test: bool,
}

impl Path {
    /// Whether these parts stand next to each other anywhere in it, or at its end where the pattern ends in [`END`].
    pub fn holds(&self, pattern: &[&str]) -> bool {
        let (pattern, at_end) = match pattern.split_last() {
            Some((&END, rest)) => (rest, true),
            _ => (pattern, false),
        };
        let is = |window: &[String]| window.iter().zip(pattern).all(|(a, b)| a == b);
        let from = if at_end { self.parts.len().saturating_sub(pattern.len()) } else { 0 };
        self.parts[from..].windows(pattern.len()).any(is)
    }

    /// The room of this crate that it leads into.
    pub fn room(&self) -> Option<&str> {
        match self.parts.first().map(String::as_str) {
            Some("crate" | "aosctl") => self.parts.get(1).map(String::as_str),
            _ => None,
        }
    }
}

/// What a file says.
#[derive(Debug, Default)]
pub struct Source {
    pub paths: Vec<Path>,
    /// Modules that exist for tests only and lie in files of their own.
    pub test_modules: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Token {
    text: String,
    line: usize,
}

/// Reads a file whose own module is `module` (`["store", "open"]`; empty for the crate's root).
pub fn read(text: &str, module: &[String]) -> Source {
    let tokens = tokens(text);
    let mut source = Source::default();
    let mut here: Vec<String> = module.to_vec();
    // Depths of braces at which an inline module was opened, and whether it is one for tests.
    let mut inline: Vec<(usize, bool)> = Vec::new();
    let mut depth = 0;
    let mut test_attribute = false;
    let mut attribute_end = 0;
    let mut i = 0;
    let at = |i: usize| tokens.get(i).map_or("", |t: &Token| t.text.as_str());
    while i < tokens.len() {
        let test = inline.iter().any(|(_, t)| *t);
        match at(i) {
            "#" => {
                let end = closing(&tokens, i + 1);
                let words: Vec<&str> = tokens[i..end].iter().map(|t| t.text.as_str()).collect();
                test_attribute |= words.starts_with(&["#", "[", "cfg", "(", "test", ")"]);
                // What it names counts too, as `derive(clap::Args)`.
                attribute_end = end;
            }
            "mod" if is_word(at(i + 1)) => {
                if at(i + 2) == "{" {
                    here.push(at(i + 1).into());
                    inline.push((depth, test_attribute));
                    depth += 1;
                } else if test_attribute {
                    source.test_modules.push(at(i + 1).into());
                }
                i += 3;
                test_attribute = false;
                continue;
            }
            "{" => depth += 1,
            "}" => {
                depth = depth.saturating_sub(1);
                if inline.last().is_some_and(|(d, _)| *d == depth) {
                    inline.pop();
                    here.pop();
                }
            }
            "use" => {
                let mut found = Vec::new();
                i = tree(&tokens, i + 1, &[], &mut found);
                source.paths.extend(found.into_iter().map(|(parts, line)| Path {
                    parts: resolve(parts, &here),
                    line,
                    test,
                }));
                test_attribute = false;
                continue;
            }
            word if is_word(word) && !(i > 0 && at(i - 1) == ".") => {
                let line = tokens[i].line;
                let mut parts = vec![word.to_string()];
                i += 1;
                while at(i) == "::" && is_word(at(i + 1)) {
                    parts.push(at(i + 1).into());
                    i += 2;
                }
                if at(i) == "!"
                    && matches!(at(i + 1), "(" | "[" | "{")
                    && let Some(last) = parts.last_mut()
                {
                    last.push('!');
                }
                source.paths.push(Path { parts: resolve(parts, &here), line, test });
                test_attribute &= i <= attribute_end;
                continue;
            }
            _ => {}
        }
        i += 1;
    }
    source
}

/// Unfolds a `use` tree from `i` on; gives where it ends.
fn tree(tokens: &[Token], mut i: usize, prefix: &[String], found: &mut Vec<(Vec<String>, usize)>) -> usize {
    let at = |i: usize| tokens.get(i).map_or(";", |t| t.text.as_str());
    loop {
        let mut parts = prefix.to_vec();
        let line = tokens.get(i).map_or(0, |t| t.line);
        let mut nested = false;
        loop {
            match at(i) {
                "::" => i += 1,
                "{" => {
                    i = tree(tokens, i + 1, &parts, found) + 1;
                    nested = true;
                    break;
                }
                "as" => i += 2,
                "," | "}" | ";" => break,
                "self" if !parts.is_empty() => i += 1,
                word => {
                    parts.push(word.into());
                    i += 1;
                }
            }
        }
        if !nested && parts.len() > prefix.len() || parts == prefix && !nested && !prefix.is_empty() {
            found.push((parts, line));
        }
        match at(i) {
            "," if at(i + 1) != "}" => i += 1,
            "," => return i + 1,
            _ => return i,
        }
    }
}

/// `super::super::x` of a module to a path from the crate's root. A path that stays in its module stays as it is.
fn resolve(parts: Vec<String>, here: &[String]) -> Vec<String> {
    let skip = usize::from(parts.first().is_some_and(|p| p == "self") && parts.get(1).is_some_and(|p| p == "super"));
    let ups = parts.iter().skip(skip).take_while(|p| *p == "super").count();
    if ups == 0 {
        return parts;
    }
    let stay = here.len().saturating_sub(ups);
    let from_root = std::iter::once("crate".to_string()).chain(here[..stay].iter().cloned());
    from_root.chain(parts.into_iter().skip(skip + ups)).collect()
}

fn is_word(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// The place after the bracket that closes the one at or after `i`.
fn closing(tokens: &[Token], i: usize) -> usize {
    let mut depth = 0;
    for (n, token) in tokens.iter().enumerate().skip(i) {
        match token.text.as_str() {
            "[" | "(" | "{" => depth += 1,
            "]" | ")" | "}" => depth -= 1,
            _ => {}
        }
        if depth == 0 && token.text == "]" {
            return n + 1;
        }
    }
    tokens.len()
}

/// Words, `::` and single signs; comments, texts, characters, lifetimes and numbers are left out.
fn tokens(text: &str) -> Vec<Token> {
    let chars: Vec<char> = text.chars().collect();
    let at = |i: usize| chars.get(i).copied().unwrap_or('\0');
    let mut found = Vec::new();
    let (mut i, mut line) = (0, 1);
    while i < chars.len() {
        let start = i;
        match at(i) {
            '/' if at(i + 1) == '/' => {
                while i < chars.len() && at(i) != '\n' {
                    i += 1;
                }
            }
            '/' if at(i + 1) == '*' => {
                let mut depth = 0;
                loop {
                    match (at(i), at(i + 1)) {
                        ('/', '*') => (depth, i) = (depth + 1, i + 2),
                        ('*', '/') => (depth, i) = (depth - 1, i + 2),
                        _ => i += 1,
                    }
                    if depth == 0 || i >= chars.len() {
                        break;
                    }
                }
            }
            '"' => i = end_of_text(&chars, i),
            '\'' => {
                i = match (at(i + 1), at(i + 2)) {
                    // A character that is escaped, one that is not, or a lifetime.
                    ('\\', _) => (i + 3..chars.len()).find(|n| at(*n) == '\'').map_or(chars.len(), |n| n + 1),
                    (_, '\'') => i + 3,
                    _ => i + 1,
                };
            }
            'r' | 'b' | 'c' if raw(&chars, i).is_some() => i = raw(&chars, i).unwrap_or(chars.len()),
            ':' if at(i + 1) == ':' => {
                found.push(Token { text: "::".into(), line });
                i += 2;
            }
            c if c.is_alphabetic() || c == '_' => {
                while at(i).is_alphanumeric() || at(i) == '_' {
                    i += 1;
                }
                found.push(Token { text: chars[start..i].iter().collect(), line });
            }
            c if c.is_ascii_digit() => {
                while at(i).is_alphanumeric() || at(i) == '_' {
                    i += 1;
                }
            }
            c => {
                if !c.is_whitespace() {
                    found.push(Token { text: c.into(), line });
                }
                i += 1;
            }
        }
        line += chars[start..i.min(chars.len())].iter().filter(|c| **c == '\n').count();
    }
    found
}

/// The place after the text that begins at `i`.
fn end_of_text(chars: &[char], mut i: usize) -> usize {
    i += 1;
    while let Some(c) = chars.get(i) {
        match c {
            '\\' => i += 2,
            '"' => return i + 1,
            _ => i += 1,
        }
    }
    chars.len()
}

/// The place after `r"..."`, `br#"..."#`, `b"..."` or `b'.'`, if one begins at `i`.
fn raw(chars: &[char], i: usize) -> Option<usize> {
    let mut n = i;
    while matches!(chars.get(n), Some('b' | 'c' | 'r')) && n < i + 2 {
        n += 1;
    }
    let is_raw = chars[i..n].contains(&'r');
    let hashes = chars[n..].iter().take_while(|c| **c == '#').count();
    match chars.get(n + hashes) {
        Some('"') if is_raw => {
            let end: String = std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
            let rest: String = chars[n + hashes + 1..].iter().collect();
            let found = rest.find(&end)?;
            Some(n + hashes + 1 + rest[..found].chars().count() + end.chars().count())
        }
        Some('"') if hashes == 0 => Some(end_of_text(chars, n)),
        _ => None,
    }
}
