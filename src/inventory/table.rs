//! Separated values as records of text, each with its line (RFC 4180, with what programs really write: a byte-order mark,
//! any line end, none at the end).

use super::{InventoryError, MAX_COLUMNS, MAX_FILE, MAX_RECORD, MAX_ROWS, Refused};
use crate::domain::key::MAX_TEXT;

/// A file with a header, as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// The names of the columns, in small letters, without spaces around them.
    pub header: Vec<String>,
    /// Every record that can be read, in the order of the lines.
    pub records: Vec<Record>,
    /// Those that cannot.
    pub refused: Vec<Refused>,
}

/// One record, as long as the header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The line where it begins, from 1.
    pub line: u64,
    /// Its cells, without spaces around them.
    pub cells: Vec<String>,
}

impl Record {
    /// A cell, by the place of its column.
    pub fn cell(&self, at: usize) -> &str {
        self.cells.get(at).map_or("", String::as_str)
    }
}

impl Table {
    /// The place of a column.
    pub fn column(&self, name: &str) -> Option<usize> {
        self.header.iter().position(|h| h == name)
    }

    /// The place of a column that must be there.
    ///
    /// # Errors
    /// [`InventoryError::MissingColumn`].
    pub fn needed(&self, name: &'static str) -> Result<usize, InventoryError> {
        self.column(name).ok_or(InventoryError::MissingColumn(name))
    }
}

/// Reads a file. A record that cannot be read is refused by its line, and the rest is read.
///
/// # Errors
/// [`InventoryError`] where nothing of it can be used.
pub fn read(bytes: &[u8]) -> Result<Table, InventoryError> {
    if bytes.len() > MAX_FILE {
        return Err(InventoryError::TooLarge);
    }
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(InventoryError::Header("it is UTF-16; save it as UTF-8".into()));
    }
    let bytes = bytes.strip_prefix(&[0xef, 0xbb, 0xbf]).unwrap_or(bytes);
    let mut reader = ::csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(bytes);
    let mut raw = ::csv::ByteRecord::new();
    let mut lines = Lines { bytes, upto: 0, line: 1 };
    let mut table = Table { header: Vec::new(), records: Vec::new(), refused: Vec::new() };
    loop {
        let begin = offset(reader.position());
        // Reading out of memory cannot fail, and records of any length are taken.
        if !reader.read_byte_record(&mut raw).unwrap_or(false) {
            break;
        }
        let (begin, line) = lines.record_at(begin);
        let end = offset(reader.position());
        let whole = bytes.get(begin..end).unwrap_or_default();
        if end >= bytes.len() && is_open(whole) {
            return Err(InventoryError::OpenQuote { line });
        }
        if table.header.is_empty() {
            table.header = header(&raw, whole.len())?;
            continue;
        }
        if table.records.len() + table.refused.len() >= MAX_ROWS {
            return Err(InventoryError::TooManyRows);
        }
        match cells(&raw, &table.header, whole.len()) {
            Ok(cells) => table.records.push(Record { line, cells }),
            Err(why) => {
                let more = whole.trim_ascii_end().iter().filter(|b| **b == b'\n').count() as u64;
                let why = if more > 0 { format!("{why} (the row goes on to line {})", line + more) } else { why };
                table.refused.push(Refused { line, why });
            }
        }
    }
    match (table.header.is_empty(), table.records.is_empty() && table.refused.is_empty()) {
        (true, _) => Err(InventoryError::Empty),
        (_, true) => Err(InventoryError::NoRows),
        _ => Ok(table),
    }
}

fn offset(at: &::csv::Position) -> usize {
    usize::try_from(at.byte()).unwrap_or(usize::MAX)
}

/// Where lines begin, counted once from the start to the end.
struct Lines<'a> {
    bytes: &'a [u8],
    upto: usize,
    line: u64,
}

impl Lines<'_> {
    /// Where the record that follows that place really begins, after empty lines, and on which line.
    fn record_at(&mut self, begin: usize) -> (usize, u64) {
        let rest = self.bytes.get(begin..).unwrap_or_default();
        let begin = begin + rest.iter().take_while(|b| matches!(b, b'\r' | b'\n')).count();
        let passed = self.bytes.get(self.upto..begin).unwrap_or_default();
        let next = |i: usize| passed.get(i + 1).or(if i + 1 == passed.len() { self.bytes.get(begin) } else { None });
        let ends =
            passed.iter().enumerate().filter(|(i, b)| **b == b'\n' || (**b == b'\r' && next(*i) != Some(&b'\n')));
        self.line += ends.count() as u64;
        self.upto = begin;
        (begin, self.line)
    }
}

/// Does a record end inside quotes? As the reader sees them: a quote opens at the start of a field only; inside, two are
/// one; whatever follows the closing one is text.
fn is_open(record: &[u8]) -> bool {
    enum At {
        Start,
        Text,
        Quoted,
        Quote,
    }
    let mut at = At::Start;
    for b in record {
        at = match (at, b) {
            (At::Start | At::Quote, b'"') | (At::Quoted, 0..=b'!' | b'#'..) => At::Quoted,
            (At::Quoted, b'"') => At::Quote,
            (_, b',' | b'\n' | b'\r') => At::Start,
            (_, _) => At::Text,
        };
    }
    matches!(at, At::Quoted)
}

fn header(raw: &::csv::ByteRecord, size: usize) -> Result<Vec<String>, InventoryError> {
    if size > MAX_RECORD || raw.len() > MAX_COLUMNS {
        return Err(InventoryError::Header(format!(
            "it has more than {MAX_COLUMNS} columns, or more than {MAX_RECORD} bytes"
        )));
    }
    let mut names: Vec<String> = Vec::with_capacity(raw.len());
    for (i, field) in raw.iter().enumerate() {
        let at = i + 1;
        let name = std::str::from_utf8(field)
            .map_err(|_| InventoryError::Header(format!("column {at} is not UTF-8")))?
            .trim()
            .to_lowercase();
        if name.len() > MAX_TEXT || name.chars().any(char::is_control) {
            return Err(InventoryError::Header(format!(
                "column {at} has a control character or more than {MAX_TEXT} bytes"
            )));
        }
        if let Some(first) = names.iter().position(|n| *n == name) {
            return Err(InventoryError::Header(format!("columns {} and {at} have the same name", first + 1)));
        }
        names.push(name);
    }
    match names.as_slice() {
        [one] if one.contains(';') || one.contains('|') => {
            Err(InventoryError::Header("columns are separated by commas, and here they are not".into()))
        }
        _ => Ok(names),
    }
}

/// The cells of a record.
fn cells(raw: &::csv::ByteRecord, header: &[String], size: usize) -> Result<Vec<String>, String> {
    if size > MAX_RECORD {
        return Err(format!("the row has {size} bytes, more than {MAX_RECORD}"));
    }
    if raw.len() != header.len() {
        return Err(format!("the row has {} cells, and the header {}", raw.len(), header.len()));
    }
    raw.iter()
        .zip(header)
        .map(|(field, name)| {
            // Names of columns that nobody defined are foreign; they are shown by those who make text safe.
            let text = std::str::from_utf8(field).map_err(|_| format!("{name} is not UTF-8"))?.trim();
            if text.len() > MAX_TEXT {
                return Err(format!("{name} has {} bytes, more than {MAX_TEXT}", text.len()));
            }
            match text.chars().any(char::is_control) {
                true => Err(format!("{name} has a control character, as a line end")),
                false => Ok(text.to_string()),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<u64> {
        read(text.as_bytes()).unwrap().records.iter().map(|r| r.line).collect()
    }

    fn refused(bytes: &[u8]) -> Vec<(u64, String)> {
        read(bytes).unwrap().refused.into_iter().map(|r| (r.line, r.why)).collect()
    }

    #[test]
    fn every_line_end_counts_lines_right() {
        for text in
            ["a,b\n1,2\n3,4\n", "a,b\n1,2\n3,4", "a,b\r\n1,2\r\n3,4\r\n", "\u{feff}a,b\n1,2\n3,4", "a,b\r1,2\r3,4"]
        {
            assert_eq!(lines(text), [2, 3], "{text:?}");
        }
        assert_eq!(lines("\n\na,b\n\n\n1,2\r\n\r\n3,4\n\n"), [6, 8]);
        assert_eq!(read(b" A ,B\n 1 , \"2\"\n").unwrap().header, ["a", "b"]);
    }

    #[test]
    fn quoted_line_ends_move_no_line_number() {
        let t = read(b"a,b\n\"x\ny\nz\",2\n3,4\n\"5\"\"\",6\n").unwrap();
        assert_eq!(t.records.iter().map(|r| r.line).collect::<Vec<_>>(), [5, 6]);
        assert_eq!(t.records[1].cell(0), "5\"");
        assert_eq!(t.refused[0].line, 2);
        assert!(t.refused[0].why.contains("goes on to line 4"), "{:?}", t.refused);
    }

    #[test]
    fn what_cannot_be_a_file() {
        for (bytes, want) in [
            (&b""[..], InventoryError::Empty),
            (b"\n\r\n", InventoryError::Empty),
            (b"\xef\xbb\xbf", InventoryError::Empty),
            (b"a,b\n", InventoryError::NoRows),
            (b"a,b", InventoryError::NoRows),
            (b"a,b\n1,2\n3,\"4\n5,6\n", InventoryError::OpenQuote { line: 3 }),
            (b"a,\"b\n1,2\n", InventoryError::OpenQuote { line: 1 }),
            (b"a,b\n1,\"\"\"", InventoryError::OpenQuote { line: 2 }),
        ] {
            assert_eq!(read(bytes), Err(want), "{bytes:?}");
        }
        for bytes in [&b"\xff\xfea\0"[..], b"a,a\n1,2", b"a\xff,b\n1,2", b"a;b\n1;2", b"a\0,b\n1,2"] {
            assert!(matches!(read(bytes), Err(InventoryError::Header(_))), "{bytes:?}");
        }
        assert!(matches!(read(&[b','; 300]), Err(InventoryError::Header(_))));
    }

    #[test]
    fn what_cannot_be_a_row_is_named_by_line_and_the_rest_is_read() {
        let long = "x".repeat(MAX_TEXT + 1);
        let huge = "x".repeat(MAX_RECORD + 1);
        let mut bytes = format!("a,b\n1,2\n3\n4,5,6\n{long},7\n{huge},8\n").into_bytes();
        bytes.extend_from_slice(b"\xff\xfe,9\n\0,10\n\"\x1b[2J\",11\n=1+1,@x\n");
        let found = refused(&bytes);
        assert_eq!(found.iter().map(|r| r.0).collect::<Vec<_>>(), [3, 4, 5, 6, 7, 8, 9]);
        for (i, word) in ["1 cells", "3 cells", "512", "1048576", "UTF-8", "control", "control"].iter().enumerate() {
            assert!(found[i].1.contains(word), "{found:?}");
        }
        let t = read(&bytes).unwrap();
        assert_eq!(t.records[1].cells, ["=1+1", "@x"], "a formula is text");
    }

    #[test]
    fn an_open_quote_is_seen() {
        for open in ["\"", "a,\"b", "\"a\"\"", "\"a\",\"", "\"\"\""] {
            assert!(is_open(open.as_bytes()), "{open}");
        }
        for closed in ["", "a", "a\"b", "\"a\"b\"", "\"a\"", "\"a\"\"b\"", "\"\"", "\"\"\"\"", "a,\"\nb\"\n"] {
            assert!(!is_open(closed.as_bytes()), "{closed}");
        }
    }

    #[test]
    fn more_rows_than_allowed_are_no_rows() {
        let mut text = String::from("a\n");
        text.push_str(&"1\n".repeat(MAX_ROWS + 1));
        assert_eq!(read(text.as_bytes()), Err(InventoryError::TooManyRows));
    }
}
