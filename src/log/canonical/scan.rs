//! Reading bytes that should be canonical already, without building anything.
//!
//! Verification meets every entry, nearly all of them right. This scanner says "right", and hands out slices;
//! it does not say what is wrong: for that the caller parses again with [`super::parse`]. A strict order of
//! names makes duplicates impossible, so no set of names is needed.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::MAX_INTEGER;

/// Whether `bytes`, which must be UTF-8, are one canonical document of at most `max_depth` levels.
pub(crate) fn is_canonical(bytes: &[u8], max_depth: usize) -> bool {
    let mut scanner = Scanner::new(bytes, max_depth);
    scanner.value().is_some() && scanner.at_end()
}

/// Bytes that stand for themselves within a string.
#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler")]
const PLAIN: [bool; 256] = {
    let mut plain = [true; 256];
    let mut byte = 0;
    while byte < 0x20 {
        plain[byte] = false;
        byte += 1;
    }
    plain[b'"' as usize] = false;
    plain[b'\\' as usize] = false;
    plain
};

/// The same byte eight times.
const fn eight(byte: u8) -> u64 {
    u64::from_le_bytes([byte; 8])
}

/// Marks the first byte below `limit` (at most 0x80), with the high bit of its place; what is marked above it says nothing.
const fn below(eight_bytes: u64, limit: u8) -> u64 {
    eight_bytes.wrapping_sub(eight(limit)) & !eight_bytes & eight(0x80)
}

/// How many bytes there are before the first that is marked in its group of eight, or that `ends` for the last few.
fn run(bytes: &[u8], mark: impl Fn(u64) -> u64, ends: impl Fn(u8) -> bool) -> Option<usize> {
    let (groups, rest) = bytes.as_chunks::<8>();
    for (i, group) in groups.iter().enumerate() {
        let marked = mark(u64::from_le_bytes(*group));
        if marked != 0 {
            return Some(i * 8 + marked.trailing_zeros() as usize / 8);
        }
    }
    rest.iter().position(|byte| ends(*byte)).map(|i| groups.len() * 8 + i)
}

/// Where the first byte is that does not stand for itself within a string. Strings are most of what is read, so eight bytes
/// are looked at together.
fn first_special(bytes: &[u8]) -> Option<usize> {
    let mark = |x: u64| below(x, 0x20) | below(x ^ eight(b'"'), 1) | below(x ^ eight(b'\\'), 1);
    run(bytes, mark, |byte| !PLAIN.get(usize::from(byte)).is_some_and(|plain| *plain))
}

fn first_quote(bytes: &[u8]) -> Option<usize> {
    run(bytes, |x| below(x ^ eight(b'"'), 1), |byte| byte == b'"')
}

/// A place in bytes that are valid UTF-8. Each step returns `None` where the bytes are not canonical.
pub(crate) struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
    levels: usize,
}

impl<'a> Scanner<'a> {
    /// At the start of `bytes`, with room for `levels` open arrays and objects.
    pub(crate) fn new(bytes: &'a [u8], levels: usize) -> Self {
        Scanner { bytes, at: 0, levels }
    }

    /// Whether everything was read.
    pub(crate) fn at_end(&self) -> bool {
        self.at == self.bytes.len()
    }

    /// How many bytes were read.
    pub(crate) fn position(&self) -> usize {
        self.at
    }

    fn next(&mut self) -> Option<u8> {
        let byte = *self.bytes.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    /// Steps over exactly these bytes.
    pub(crate) fn expect(&mut self, text: &[u8]) -> Option<()> {
        self.bytes.get(self.at..)?.starts_with(text).then(|| self.at += text.len())
    }

    /// Steps over the next `count` bytes and returns them.
    pub(crate) fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let slice = self.bytes.get(self.at..self.at.checked_add(count)?)?;
        self.at += count;
        Some(slice)
    }

    /// Steps behind the next `"` and returns what stood before it.
    pub(crate) fn until_quote(&mut self) -> Option<&'a [u8]> {
        let rest = self.bytes.get(self.at..)?;
        let length = first_quote(rest)?;
        self.at += length + 1;
        rest.get(..length)
    }

    /// One value of any kind; returns its bytes.
    pub(crate) fn value(&mut self) -> Option<&'a [u8]> {
        let start = self.at;
        match *self.bytes.get(self.at)? {
            b'{' => self.members(|_, _| Some(()))?,
            b'[' => self.items()?,
            b'"' => {
                self.string()?;
            }
            b't' => self.expect(b"true")?,
            b'f' => self.expect(b"false")?,
            b'n' => self.expect(b"null")?,
            _ => {
                self.integer()?;
            }
        }
        self.bytes.get(start..self.at)
    }

    /// One integer within ±(2^53 - 1).
    pub(crate) fn integer(&mut self) -> Option<i64> {
        let negative = self.expect(b"-").is_some();
        let start = self.at;
        let mut number: i64 = 0;
        while let Some(digit) = self.bytes.get(self.at).filter(|byte| byte.is_ascii_digit()) {
            // 16 digits hold every allowed integer and cannot overflow.
            if self.at - start == 16 {
                return None;
            }
            number = number * 10 + i64::from(digit - b'0');
            self.at += 1;
        }
        let digits = self.at - start;
        let leading_zero = self.bytes.get(start) == Some(&b'0');
        if digits == 0 || (leading_zero && (digits > 1 || negative)) || number > MAX_INTEGER {
            return None;
        }
        Some(if negative { -number } else { number })
    }

    /// One string; returns what stands between the quotes, escapes and all.
    pub(crate) fn string(&mut self) -> Option<&'a [u8]> {
        self.expect(b"\"")?;
        let start = self.at;
        loop {
            let rest = self.bytes.get(self.at..)?;
            self.at += first_special(rest)?;
            match self.next()? {
                b'"' => return self.bytes.get(start..self.at - 1),
                b'\\' => self.escape()?,
                _ => return None,
            }
        }
    }

    /// The escapes that canonical form uses: the short ones, and `\u00XX` for other control characters.
    fn escape(&mut self) -> Option<()> {
        match self.next()? {
            b'"' | b'\\' | b'b' | b't' | b'n' | b'f' | b'r' => Some(()),
            b'u' => {
                self.expect(b"00")?;
                let (high, low) = (self.next()?, self.next()?);
                let has_short_form = high == b'0' && matches!(low, b'8' | b'9' | b'a' | b'c' | b'd');
                let is_control =
                    matches!(high, b'0' | b'1') && matches!(low, b'0'..=b'9' | b'a'..=b'f') && !has_short_form;
                is_control.then_some(())
            }
            _ => None,
        }
    }

    fn open(&mut self, bracket: u8) -> Option<()> {
        self.levels = self.levels.checked_sub(1)?;
        (self.next()? == bracket).then_some(())
    }

    /// After an item: whether another follows.
    fn more(&mut self, close: u8) -> Option<bool> {
        match self.next()? {
            b',' => Some(true),
            byte if byte == close => {
                self.levels += 1;
                Some(false)
            }
            _ => None,
        }
    }

    fn items(&mut self) -> Option<()> {
        self.open(b'[')?;
        if self.expect(b"]").is_some() {
            self.levels += 1;
            return Some(());
        }
        loop {
            self.value()?;
            if !self.more(b']')? {
                return Some(());
            }
        }
    }

    /// One object; `each` gets every name (raw, as [`Scanner::string`] returns it) with its value's bytes.
    pub(crate) fn members(&mut self, mut each: impl FnMut(&'a [u8], &'a [u8]) -> Option<()>) -> Option<()> {
        self.open(b'{')?;
        if self.expect(b"}").is_some() {
            self.levels += 1;
            return Some(());
        }
        let mut before: Option<&'a [u8]> = None;
        loop {
            let name = self.string()?;
            if before.is_some_and(|before| name_order(before, name) != Ordering::Less) {
                return None;
            }
            before = Some(name);
            self.expect(b":")?;
            let value = self.value()?;
            each(name, value)?;
            if !self.more(b'}')? {
                return Some(());
            }
        }
    }
}

/// The order of two member names given raw, as canonical form has them between the quotes.
pub(crate) fn name_order(a: &[u8], b: &[u8]) -> Ordering {
    // Lower-case names without an escape or a character beyond ASCII: nearly all there are.
    let simple = |name: &[u8]| name.iter().all(|byte| *byte < 0x80 && *byte != b'\\');
    if simple(a) && simple(b) { a.cmp(b) } else { utf16_order(&unescape(a), &unescape(b)) }
}

/// What a raw canonical string says. Takes only what [`Scanner::string`] accepted.
pub(crate) fn unescape(raw: &[u8]) -> Cow<'_, [u8]> {
    if !raw.contains(&b'\\') {
        return Cow::Borrowed(raw);
    }
    let mut out = Vec::with_capacity(raw.len());
    let mut bytes = raw.iter().copied();
    while let Some(byte) = bytes.next() {
        if byte != b'\\' {
            out.push(byte);
            continue;
        }
        out.push(match bytes.next() {
            Some(b'b') => 0x08,
            Some(b't') => b'\t',
            Some(b'n') => b'\n',
            Some(b'f') => 0x0c,
            Some(b'r') => b'\r',
            Some(b'u') => {
                let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16)).unwrap_or(0);
                // The first two digits of an accepted escape are zeros.
                let (high, low) = (digit(bytes.by_ref().nth(2)), digit(bytes.next()));
                u8::try_from(high * 16 + low).unwrap_or(0)
            }
            other => other.unwrap_or(0),
        });
    }
    Cow::Owned(out)
}

/// Orders UTF-8 texts by their UTF-16 units, as RFC 8785 section 3.2.3 orders member names.
///
/// That is the order of the bytes, but for one case: characters beyond U+FFFF (first byte from F0 up) are
/// written with surrogates and so stand before U+E000 to U+FFFF (first byte EE or EF).
pub(crate) fn utf16_order(a: &[u8], b: &[u8]) -> Ordering {
    match a.iter().zip(b).find(|(x, y)| x != y) {
        None => a.len().cmp(&b.len()),
        Some((&x, &y)) if x >= 0xee && y >= 0xee && (x >= 0xf0) != (y >= 0xf0) => y.cmp(&x),
        Some((x, y)) => x.cmp(y),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eight_together_are_as_one_by_one() {
        let plain = |byte: u8| byte >= 0x20 && byte != b'"' && byte != b'\\';
        for byte in 0..=255u8 {
            for (length, at) in [(9, 0), (9, 3), (9, 7), (9, 8), (23, 11), (23, 22)] {
                for around in [b'a', 0x20, 0x21, 0x23, 0x5b, 0x5d, 0x7f, 0x80, 0xff] {
                    let mut bytes = vec![around; length];
                    bytes[at] = byte;
                    // A second one behind it must not hide the first.
                    for end in [around, b'"', 0, b'\\'] {
                        bytes[length - 1] = if at == length - 1 { byte } else { end };
                        assert_eq!(first_special(&bytes), bytes.iter().position(|b| !plain(*b)), "{bytes:?}");
                        assert_eq!(first_quote(&bytes), bytes.iter().position(|b| *b == b'"'), "{bytes:?}");
                    }
                }
            }
        }
    }
}
