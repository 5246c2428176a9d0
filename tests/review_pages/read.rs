//! Readers of what was drawn: CSV by RFC 4180, HTML tag by tag.

/// The records of a CSV; fails on what RFC 4180 does not allow.
pub fn csv(text: &str) -> Vec<Vec<String>> {
    let mut records = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let mut record = Vec::new();
        loop {
            rest = rest.strip_prefix('"').expect("a field begins with a quote");
            let mut field = String::new();
            loop {
                let at = rest.find('"').expect("a field ends with a quote");
                field.push_str(&rest[..at]);
                rest = &rest[at + 1..];
                match rest.strip_prefix('"') {
                    Some(more) => {
                        field.push('"');
                        rest = more;
                    }
                    None => break,
                }
            }
            record.push(field);
            if let Some(more) = rest.strip_prefix(',') {
                rest = more;
            } else {
                rest = rest.strip_prefix("\r\n").expect("a record ends with CR LF");
                break;
            }
        }
        records.push(record);
    }
    records
}

/// A tag of HTML: its name, its attributes, whether it closes.
pub struct Tag {
    pub name: String,
    pub attributes: Vec<(String, String)>,
    pub closes: bool,
}

const VOID: &[&str] = &["meta", "br", "!DOCTYPE"];

/// Every tag of a page; fails where they do not nest, or where `<` or `&` stands bare.
pub fn html(text: &str) -> Vec<Tag> {
    let mut tags = Vec::new();
    let mut open: Vec<String> = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        let (before, from) = rest.split_at(at);
        let in_style = open.last().is_some_and(|t| t == "style");
        assert!(in_style || references(before), "a bare & in {before:?}");
        assert!(in_style || !before.contains('>'), "a bare > in {before:?}");
        let end = from.find('>').expect("a tag ends");
        let inner = &from[1..end];
        rest = &from[end + 1..];
        let closes = inner.starts_with('/');
        let inner = inner.trim_start_matches('/');
        let (name, mut more) = inner.split_once(' ').unwrap_or((inner, ""));
        let mut attributes = Vec::new();
        while !more.trim().is_empty() && name != "!DOCTYPE" {
            let (key, value) = more.trim_start().split_once("=\"").expect("an attribute in double quotes");
            let (value, after) = value.split_once('"').expect("an attribute ends");
            assert!(key.chars().all(|c| c.is_ascii_alphabetic() || c == '-'), "{key}");
            assert!(references(value) && !value.contains('<'), "{value}");
            attributes.push((key.to_string(), value.to_string()));
            more = after;
        }
        if closes {
            assert_eq!(open.pop().as_deref(), Some(name), "tags nest");
        } else if !VOID.contains(&name) {
            open.push(name.to_string());
        }
        tags.push(Tag { name: name.to_string(), attributes, closes });
    }
    assert!(open.is_empty(), "left open: {open:?}");
    tags
}

/// Every `&` begins a reference.
fn references(text: &str) -> bool {
    text.split('&').skip(1).all(|after| after.split_once(';').is_some_and(|(name, _)| name.len() <= 5))
}

/// What a reader of the page sees: without tags, references read.
pub fn seen(html: &str) -> String {
    let body = html.split_once("</style>").expect("a style").1;
    let mut out = String::new();
    let mut rest = body;
    while let Some(at) = rest.find('<') {
        out.push_str(&rest[..at]);
        rest = rest[at..].split_once('>').unwrap().1;
    }
    out.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&#39;", "'").replace("&amp;", "&")
}
