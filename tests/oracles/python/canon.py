"""Canonical JSON as the log format says: a parser that refuses what must be refused, the JCS writer (RFC 8785), times,
base64 and foreign JSON. Written by hand, because the parser of the standard library accepts much of what is refused here.
"""

import base64
import binascii
import datetime
import functools
import re

LIMIT = 65_536
BODY_LIMIT = 1_048_576
ENVELOPE_LIMIT = 65_535
FOREIGN_LIMIT = 524_288
LEVELS = 64

SPACE = re.compile(r"[ \t\n\r]*")
NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
PLAIN = re.compile(r'[^"\\\x00-\x1f]*')
HEX4 = re.compile(r"[0-9A-Fa-f]{4}")
ESCAPES = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
WRITTEN = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
TO_ESCAPE = re.compile(r'["\\\x00-\x1f]')


class Refused(Exception):
    """Why a text is refused, in one word."""


class Parser:
    """One text. `foreign` accepts any JSON number."""

    def __init__(self, text, levels, foreign):
        self.text, self.levels, self.foreign, self.at = text, levels, foreign, 0

    def space(self):
        self.at = SPACE.match(self.text, self.at).end()

    def peek(self):
        return self.text[self.at : self.at + 1]

    def take(self, what):
        if not self.text.startswith(what, self.at):
            raise Refused("syntax")
        self.at += len(what)

    def whole(self):
        self.space()
        value = self.value(1)
        self.space()
        if self.at != len(self.text):
            raise Refused("syntax")
        return value

    def value(self, level):
        c = self.peek()
        if c in ("{", "["):
            if level > self.levels:
                raise Refused("too_deep")
            return self.object(level) if c == "{" else self.array(level)
        if c == '"':
            return self.string()
        for word, value in (("true", True), ("false", False), ("null", None)):
            if self.text.startswith(word, self.at):
                self.at += len(word)
                return value
        return self.number()

    def object(self, level):
        self.take("{")
        out = {}
        self.space()
        if self.peek() == "}":
            self.at += 1
            return out
        while True:
            self.space()
            if self.peek() != '"':
                raise Refused("syntax")
            name = self.string()
            if name in out:
                raise Refused("duplicate_name")
            self.space()
            self.take(":")
            self.space()
            out[name] = self.value(level + 1)
            self.space()
            if self.peek() == "}":
                self.at += 1
                return out
            self.take(",")

    def array(self, level):
        self.take("[")
        out = []
        self.space()
        if self.peek() == "]":
            self.at += 1
            return out
        while True:
            self.space()
            out.append(self.value(level + 1))
            self.space()
            if self.peek() == "]":
                self.at += 1
                return out
            self.take(",")

    def hex4(self):
        m = HEX4.match(self.text, self.at)
        if not m:
            raise Refused("syntax")
        self.at += 4
        return int(m[0], 16)

    def string(self):
        self.take('"')
        parts = []
        while True:
            m = PLAIN.match(self.text, self.at)
            parts.append(m[0])
            self.at = m.end()
            c = self.peek()
            if c == '"':
                self.at += 1
                return "".join(parts)
            self.take("\\")  # a control character or the end of the text is refused here
            c = self.peek()
            self.at += 1
            if c == "u":
                parts.append(self.escaped())
            elif c in ESCAPES:
                parts.append(ESCAPES[c])
            else:
                raise Refused("syntax")

    def escaped(self):
        unit = self.hex4()
        if 0xDC00 <= unit < 0xE000:
            raise Refused("lone_surrogate")
        if not 0xD800 <= unit < 0xDC00:
            return chr(unit)
        if not self.text.startswith("\\u", self.at):
            raise Refused("lone_surrogate")
        self.at += 2
        low = self.hex4()
        if not 0xDC00 <= low < 0xE000:
            raise Refused("lone_surrogate")
        return chr(0x10000 + (unit - 0xD800) * 0x400 + low - 0xDC00)

    def number(self):
        m = NUMBER.match(self.text, self.at)
        if not m:
            raise Refused("syntax")
        self.at = m.end()
        if self.peek().isdigit() or self.peek() == ".":
            raise Refused("syntax")
        if self.foreign:
            return m[0]
        if m[1] or m[2]:
            raise Refused("number_not_integer")
        if m[0] == "-0":
            raise Refused("number_negative_zero")
        if len(m[0]) > 17 or abs(int(m[0])) > 2**53 - 1:
            raise Refused("number_out_of_range")
        return int(m[0])


def parse(data, limit=LIMIT, levels=LEVELS, foreign=False):
    """The value of JSON bytes, or Refused."""
    if len(data) > limit:
        raise Refused("too_large")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise Refused("invalid_utf8") from None
    return Parser(text, levels, foreign).whole()


def foreign(text):
    """Insists that a string holds foreign JSON."""
    try:
        data = text.encode("utf-8")
    except UnicodeEncodeError:
        raise Refused("lone_surrogate") from None
    parse(data, FOREIGN_LIMIT, LEVELS, foreign=True)


def write_string(s):
    return '"' + TO_ESCAPE.sub(lambda m: WRITTEN.get(m[0], f"\\u{ord(m[0]):04x}"), s) + '"'


def write(value):
    """RFC 8785 section 3.2 of what `parse` gives, as text."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return write_string(value)
    if isinstance(value, list):
        return "[" + ",".join(write(v) for v in value) + "]"
    # Names in the order of their UTF-16 code units, section 3.2.3.
    names = sorted(value, key=lambda n: n.encode("utf-16-be"))
    return "{" + ",".join(f"{write_string(n)}:{write(value[n])}" for n in names) + "}"


def jcs(value):
    return write(value).encode("utf-8")


def depth(value):
    """Levels of a value: an object or an array is one."""
    if isinstance(value, dict):
        return 1 + max(map(depth, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(depth, value), default=0)
    return 0


def from_base64(text):
    """Standard alphabet, padded, zero trailing bits."""
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, ValueError):
        raise Refused("base64") from None
    if base64.b64encode(data).decode("ascii") != text:
        raise Refused("base64")
    return data


EPOCH = datetime.date(1970, 1, 1).toordinal()
TIME = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})\.([0-9]{3})Z", re.ASCII)


@functools.lru_cache(maxsize=4096)
def time_ms(text):
    """Milliseconds since 1970 of a time of the format, or None where it is none."""
    m = TIME.fullmatch(text) if isinstance(text, str) else None
    if not m:
        return None
    year, month, day, hour, minute, second, ms = map(int, m.groups())
    if hour > 23 or minute > 59 or second > 59:
        return None
    try:
        # The calendar repeats after 400 years of 146,097 days, so the year 0, which `datetime` does not know, is like 400.
        days = datetime.date(year or 400, month, day).toordinal() - EPOCH - (0 if year else 146_097)
    except ValueError:
        return None
    return ((days * 24 + hour) * 60 + minute) * 60_000 + second * 1000 + ms
