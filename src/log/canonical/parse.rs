//! The strict parser. Recursive, which is safe because depth is bounded before each step down.

use serde_json::{Map, Value};

use super::{JsonFault, MAX_INTEGER};

/// Which numbers are taken.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Numbers {
    /// Integers within ±(2^53 - 1).
    Integers,
    /// Any number of the JSON grammar. They come out as null: no type holds all of them exactly.
    Any,
}

/// Parses one document.
pub(super) fn parse(bytes: &[u8], limit: usize, max_depth: usize, numbers: Numbers) -> Result<Value, JsonFault> {
    if bytes.len() > limit {
        return Err(JsonFault::TooLarge { limit });
    }
    let text = std::str::from_utf8(bytes).map_err(|error| JsonFault::InvalidUtf8 { at: error.valid_up_to() })?;
    let mut parser = Parser { text, bytes, at: 0, depth: 0, max_depth, numbers };
    parser.space();
    let value = parser.value()?;
    parser.space();
    if parser.at == bytes.len() { Ok(value) } else { Err(parser.syntax()) }
}

struct Parser<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    depth: usize,
    max_depth: usize,
    numbers: Numbers,
}

impl Parser<'_> {
    fn syntax(&self) -> JsonFault {
        JsonFault::Syntax { at: self.at }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        let there = self.peek() == Some(byte);
        self.at += usize::from(there);
        there
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn value(&mut self) -> Result<Value, JsonFault> {
        match self.peek() {
            Some(b'{') => self.object(),
            Some(b'[') => self.array(),
            Some(b'"') => self.string().map(Value::String),
            Some(b't') => self.literal("true", Value::Bool(true)),
            Some(b'f') => self.literal("false", Value::Bool(false)),
            Some(b'n') => self.literal("null", Value::Null),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => Err(self.syntax()),
        }
    }

    fn literal(&mut self, word: &str, value: Value) -> Result<Value, JsonFault> {
        if !self.bytes.get(self.at..).is_some_and(|rest| rest.starts_with(word.as_bytes())) {
            return Err(self.syntax());
        }
        self.at += word.len();
        Ok(value)
    }

    fn open(&mut self) -> Result<(), JsonFault> {
        if self.depth == self.max_depth {
            return Err(JsonFault::TooDeep { at: self.at });
        }
        self.depth += 1;
        self.at += 1;
        self.space();
        Ok(())
    }

    /// After an item: true where another follows, false where `close` ends it.
    fn more(&mut self, close: u8) -> Result<bool, JsonFault> {
        self.space();
        if self.take(b',') {
            self.space();
            return Ok(true);
        }
        if self.take(close) {
            self.depth -= 1;
            return Ok(false);
        }
        Err(self.syntax())
    }

    fn array(&mut self) -> Result<Value, JsonFault> {
        self.open()?;
        let mut items = Vec::new();
        if self.take(b']') {
            self.depth -= 1;
            return Ok(Value::Array(items));
        }
        loop {
            items.push(self.value()?);
            if !self.more(b']')? {
                return Ok(Value::Array(items));
            }
        }
    }

    fn object(&mut self) -> Result<Value, JsonFault> {
        self.open()?;
        let mut members = Map::new();
        if self.take(b'}') {
            self.depth -= 1;
            return Ok(Value::Object(members));
        }
        loop {
            if self.peek() != Some(b'"') {
                return Err(self.syntax());
            }
            let name = self.string()?;
            if members.contains_key(&name) {
                return Err(JsonFault::DuplicateName { at: self.at });
            }
            self.space();
            if !self.take(b':') {
                return Err(self.syntax());
            }
            self.space();
            let value = self.value()?;
            members.insert(name, value);
            if !self.more(b'}')? {
                return Ok(Value::Object(members));
            }
        }
    }

    fn digits(&mut self) -> usize {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        self.at - start
    }

    fn number(&mut self) -> Result<Value, JsonFault> {
        let start = self.at;
        let negative = self.take(b'-');
        let leading_zero = self.peek() == Some(b'0');
        let digits = self.digits();
        if digits == 0 || (leading_zero && digits > 1) {
            return Err(self.syntax());
        }
        let integer_end = self.at;
        if self.take(b'.') && self.digits() == 0 {
            return Err(self.syntax());
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            if self.digits() == 0 {
                return Err(self.syntax());
            }
        }
        if self.numbers == Numbers::Any {
            return Ok(Value::Null);
        }
        if self.at != integer_end {
            return Err(JsonFault::NumberNotInteger { at: start });
        }
        if negative && leading_zero {
            return Err(JsonFault::NumberNegativeZero { at: start });
        }
        self.text
            .get(start..integer_end)
            .filter(|_| digits <= 16)
            .and_then(|text| text.parse::<i64>().ok())
            .filter(|number| number.abs() <= MAX_INTEGER)
            .map(Value::from)
            .ok_or(JsonFault::NumberOutOfRange { at: start })
    }

    fn string(&mut self) -> Result<String, JsonFault> {
        self.at += 1;
        let mut string = String::new();
        loop {
            let start = self.at;
            while self.peek().is_some_and(|byte| byte >= 0x20 && byte != b'"' && byte != b'\\') {
                self.at += 1;
            }
            string.push_str(self.text.get(start..self.at).unwrap_or_default());
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(string);
                }
                Some(b'\\') => string.push(self.escape()?),
                _ => return Err(self.syntax()),
            }
        }
    }

    fn escape(&mut self) -> Result<char, JsonFault> {
        let start = self.at;
        self.at += 1;
        let char = match self.peek() {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                self.at += 1;
                return self.unicode_escape(start);
            }
            _ => return Err(self.syntax()),
        };
        self.at += 1;
        Ok(char)
    }

    fn unicode_escape(&mut self, start: usize) -> Result<char, JsonFault> {
        let lone = JsonFault::LoneSurrogate { at: start };
        let first = self.four_digits()?;
        let code = match first {
            0xd800..=0xdbff => {
                if !(self.take(b'\\') && self.take(b'u')) {
                    return Err(lone);
                }
                let second = self.four_digits()?;
                if !(0xdc00..=0xdfff).contains(&second) {
                    return Err(lone);
                }
                0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00)
            }
            other => other,
        };
        // Only a low half alone is left that is no character.
        char::from_u32(code).ok_or(lone)
    }

    fn four_digits(&mut self) -> Result<u32, JsonFault> {
        let digits = self
            .text
            .get(self.at..self.at + 4)
            .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
            .and_then(|digits| u32::from_str_radix(digits, 16).ok())
            .ok_or_else(|| self.syntax())?;
        self.at += 4;
        Ok(digits)
    }
}
