//! Searching for what still names a leaked secret.
//!
//! With the secret itself its bytes are searched for. Without it, what is searched for is what the provider calls it, and
//! words of at least eight characters that end in its last four, masked ones too (`****9f2a`): more than it may be found,
//! and what was encoded, compressed or cut in two is not. Symbolic links are not followed; what cannot be read is named,
//! and then nobody can say that nothing is left.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::secret::Secret;

/// The largest file that is searched.
pub const MAX_FILE: u64 = 64 * 1024 * 1024;
/// So many places are named; more are counted.
pub const MAX_PLACES: usize = 200;
/// The shortest word that counts as one that ends in the last four.
const SHORTEST_WORD: usize = 8;

/// By what a secret is recognised.
#[derive(Default)]
pub struct Marks<'a> {
    /// The secret itself.
    pub secret: Option<&'a Secret>,
    /// Its last four characters.
    pub last4: Option<&'a str>,
    /// What the provider calls it.
    pub provider_id: Option<&'a str>,
}

/// What was recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// The secret.
    Secret,
    /// What the provider calls it.
    ProviderId,
    /// A word that ends in its last four characters.
    Ending,
}

impl What {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            What::Secret => "the secret itself",
            What::ProviderId => "what the provider calls it",
            What::Ending => "a word that ends as it does",
        }
    }
}

/// A place that names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The file.
    pub path: PathBuf,
    /// The line, from 1.
    pub line: usize,
    /// What stands there.
    pub what: What,
}

/// What a search came to.
#[derive(Debug, Default)]
pub struct Swept {
    /// Files that were searched.
    pub files: u64,
    /// The first places.
    pub found: Vec<Found>,
    /// More of them, not named.
    pub more: u64,
    /// What was not searched, and why.
    pub left_out: Vec<String>,
}

impl Marks<'_> {
    /// There is something to look for.
    pub fn any(&self) -> bool {
        self.secret.is_some() || self.last4.is_some() || self.provider_id.is_some()
    }

    /// Where bytes name it: line and what, a line once.
    pub fn search(&self, bytes: &[u8]) -> Vec<(usize, What)> {
        let mut found: Vec<(usize, What)> = Vec::new();
        if let Some(secret) = self.secret {
            found.extend(lines(bytes, all(bytes, secret.expose()), What::Secret));
        } else if let Some(last4) = self.last4 {
            let ends = all(bytes, last4.as_bytes()).filter(|at| ends_word(bytes, *at, last4.len()));
            found.extend(lines(bytes, ends, What::Ending));
        }
        if let Some(id) = self.provider_id {
            found.extend(lines(bytes, all(bytes, id.as_bytes()), What::ProviderId));
        }
        found.sort_unstable();
        found.dedup_by_key(|(line, _)| *line);
        found
    }

    /// Searches files and directories.
    pub fn sweep(&self, paths: &[PathBuf]) -> Swept {
        let mut swept = Swept::default();
        let mut left: Vec<PathBuf> = paths.iter().rev().cloned().collect();
        while let Some(path) = left.pop() {
            if let Err(why) = self.visit(&path, &mut left, &mut swept) {
                swept.left_out.push(format!("{}: {why}", path.display()));
            }
        }
        swept
    }

    fn visit(&self, path: &Path, left: &mut Vec<PathBuf>, swept: &mut Swept) -> Result<(), String> {
        let metadata = path.symlink_metadata().map_err(|e| e.to_string())?;
        if metadata.is_dir() {
            let mut inside = Vec::new();
            for entry in std::fs::read_dir(path).map_err(|e| e.to_string())? {
                inside.push(entry.map_err(|e| e.to_string())?.path());
            }
            inside.sort();
            left.extend(inside.into_iter().rev());
            return Ok(());
        }
        if !metadata.is_file() {
            return Err("neither a file nor a directory".into());
        }
        if metadata.len() > MAX_FILE {
            return Err(format!("larger than {} MiB", MAX_FILE / 1024 / 1024));
        }
        let mut bytes = Zeroizing::new(Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or(0) + 1));
        let file = File::open(path).map_err(|e| e.to_string())?;
        file.take(MAX_FILE).read_to_end(&mut bytes).map_err(|e| e.to_string())?;
        swept.files += 1;
        for (line, what) in self.search(&bytes) {
            if swept.found.len() < MAX_PLACES {
                swept.found.push(Found { path: path.to_path_buf(), line, what });
            } else {
                swept.more += 1;
            }
        }
        Ok(())
    }
}

/// The lines of places that come in their order.
fn lines(bytes: &[u8], places: impl Iterator<Item = usize>, what: What) -> Vec<(usize, What)> {
    let (mut line, mut counted) = (1, 0);
    let mut found: Vec<(usize, What)> = Vec::new();
    for at in places {
        line += bytes.get(counted..at).unwrap_or_default().iter().filter(|b| **b == b'\n').count();
        counted = at;
        if found.last().is_none_or(|(last, _)| *last != line) {
            found.push((line, what));
        }
    }
    found
}

/// Every place of a needle.
fn all<'a>(bytes: &'a [u8], needle: &'a [u8]) -> impl Iterator<Item = usize> + 'a {
    let first = needle.first().copied();
    let is = move |at: &usize| bytes.get(*at..).is_some_and(|rest| rest.starts_with(needle));
    bytes.iter().enumerate().filter(move |(_, b)| Some(**b) == first).map(|(at, _)| at).filter(is)
}

/// Does a word of some length end after these bytes?
fn ends_word(bytes: &[u8], at: usize, len: usize) -> bool {
    let part = |b: &u8| b.is_ascii_alphanumeric() || b"_-+/*.=".contains(b) || *b >= 0x80;
    let goes_on = bytes.get(at + len).is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_');
    let before = bytes.get(..at).unwrap_or_default().iter().rev().take_while(|b| part(b)).take(SHORTEST_WORD).count();
    !goes_on && before + len >= SHORTEST_WORD
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ending(text: &str) -> Vec<usize> {
        let marks = Marks { last4: Some("9f2a"), ..Marks::default() };
        marks.search(text.as_bytes()).into_iter().map(|(line, _)| line).collect()
    }

    #[test]
    fn words_that_end_so() {
        assert_eq!(ending("x\nsk_live_abcdef9f2a\n\nKEY=****9f2a;"), [2, 4]);
        assert_eq!(ending("id 9f2a"), Vec::<usize>::new(), "four letters are no secret");
        assert_eq!(ending("sk_live_abc9f2abc"), Vec::<usize>::new(), "it goes on");
        assert_eq!(ending("key ••••9f2a."), [1], "masked, at the end of a sentence");
        assert_eq!(ending("9f2a"), Vec::<usize>::new());
        assert_eq!(ending("\n\n\n12349f2a"), [4]);
    }

    #[test]
    fn with_the_secret_only_the_secret() {
        let secret = Secret::new(b"s3cret-with-9f2a".to_vec().into()).unwrap();
        let marks = Marks { secret: Some(&secret), last4: Some("9f2a"), provider_id: Some("AKIA1") };
        let text = b"other-secret-9f2a\ns3cret-with-9f2a\nAKIA1\ns3cret-with-9f2b";
        assert_eq!(marks.search(text), [(2, What::Secret), (3, What::ProviderId)]);
        assert!(marks.search(b"").is_empty());
    }

    #[test]
    fn directories_are_walked_and_what_is_not_read_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let deep = dir.path().join("a/b");
        std::fs::create_dir_all(&deep).unwrap();
        std::fs::write(deep.join("env"), "TOKEN=abcdefgh9f2a\n").unwrap();
        std::fs::write(dir.path().join("bin"), [0, 1, 2, 255]).unwrap();
        std::os::unix::fs::symlink("/etc", dir.path().join("link")).unwrap();
        let marks = Marks { last4: Some("9f2a"), ..Marks::default() };
        let swept = marks.sweep(&[dir.path().to_path_buf(), dir.path().join("none")]);
        assert_eq!((swept.files, swept.found.len(), swept.left_out.len()), (2, 1, 2), "{swept:?}");
        assert_eq!(swept.found[0], Found { path: deep.join("env"), line: 1, what: What::Ending });
    }
}
