//! A description with its files read and its limits kept: everything that takes time, before any lock.

use serde_json::{Map, Value};

use super::{Ask, AskError};
use crate::domain::event::{Artifacts, FileDigest};
use crate::log::canonical::{self, BODY_LIMIT};
use crate::sys::files;
use crate::workspace::command;

/// Room in a payload for everything but the texts: ids, facets, names, and what JSON puts between them.
const RESERVE: usize = 16_384;

/// What files that belong to a request may be.
#[derive(Debug)]
pub struct ArtifactLimits;

impl ArtifactLimits {
    /// Most files.
    pub const COUNT: usize = 100;
    /// Most bytes of one file.
    pub const BYTES: u64 = 4 << 30;
    /// Most bytes of its name.
    pub const NAME: usize = 1000;
}

/// A description that can be decided about and recorded.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// As told.
    pub ask: Ask,
    /// The parameters, parsed for reading facets; what is kept is the received text.
    pub(super) parameters: Option<Value>,
    /// Its files and its command, by digest.
    pub(super) artifacts: Option<Artifacts>,
}

impl Prepared {
    /// For a decision alone: no file is read.
    ///
    /// # Errors
    /// What [`Ask::check`] gives; parameters that are no object or array, or hold a number that no type can hold.
    pub fn for_decision(ask: Ask) -> Result<Prepared, AskError> {
        ask.check()?;
        let parameters = parameters(&ask)?;
        Ok(Prepared { ask, parameters, artifacts: None })
    }

    /// For recording: reads and digests what belongs to it, and makes sure that all of it fits into an entry.
    ///
    /// # Errors
    /// As [`Prepared::for_decision`]; files and commands that cannot be read; [`AskError::TooLarge`].
    pub fn for_record(ask: Ask) -> Result<Prepared, AskError> {
        let mut prepared = Prepared::for_decision(ask)?;
        let command = match &prepared.ask.command {
            Some(c) => Some(command::bind(c)?),
            None => None,
        };
        let files = digests(&prepared.ask.artifacts)?;
        if command.is_some() || !files.is_empty() {
            prepared.artifacts = Some(Artifacts { command, files });
        }
        prepared.fits()?;
        Ok(prepared)
    }

    /// The largest members, as the log writes them: an escape can take six bytes for one.
    fn fits(&self) -> Result<(), AskError> {
        let a = &self.ask;
        let mut texts = Map::new();
        let mut add = |name: &str, value: Option<&str>| {
            texts.extend(value.map(|v| (name.to_string(), Value::from(v))));
        };
        add("parameters", a.parameters.as_deref().map(|p| p.get()));
        for (name, text) in [
            ("diff", &a.diff),
            ("summary", &a.summary),
            ("recommendation", &a.recommendation),
            ("rationale", &a.rationale),
            ("rollback", &a.rollback),
            ("unsure", &a.unsure),
            ("mission", &a.mission),
            ("model", &a.model),
        ] {
            add(name, text.as_deref());
        }
        texts.insert("alternatives".into(), a.alternatives.iter().map(String::as_str).collect());
        let shape = |e: String| AskError::Shape(e);
        texts.insert("artifacts".into(), serde_json::to_value(&self.artifacts).map_err(|e| shape(e.to_string()))?);
        let bytes = canonical::to_vec(&Value::Object(texts)).map_err(|e| shape(e.to_string()))?.len();
        let limit = BODY_LIMIT - RESERVE;
        if bytes > limit { Err(AskError::TooLarge { bytes, limit }) } else { Ok(()) }
    }
}

fn parameters(ask: &Ask) -> Result<Option<Value>, AskError> {
    let Some(raw) = &ask.parameters else {
        return Ok(None);
    };
    let bad = |why: String| AskError::Member { member: "parameters", why };
    match serde_json::from_str(raw.get()).map_err(|e| bad(e.to_string()))? {
        value @ (Value::Object(_) | Value::Array(_)) => Ok(Some(value)),
        _ => Err(bad("a JSON object (or array) is wanted: what the tool is called with".into())),
    }
}

fn digests(paths: &[String]) -> Result<Vec<FileDigest>, AskError> {
    if paths.len() > ArtifactLimits::COUNT {
        return Err(AskError::Member { member: "artifacts", why: format!("{} are the most", ArtifactLimits::COUNT) });
    }
    let mut found = Vec::with_capacity(paths.len());
    for path in paths {
        if path.is_empty() || path.len() > ArtifactLimits::NAME {
            return Err(AskError::Member {
                member: "artifacts",
                why: format!("a name has 1 to {} bytes", ArtifactLimits::NAME),
            });
        }
        let (sha256, bytes) =
            command::digest_of(files::open_file(path.as_ref())?, path.as_ref(), ArtifactLimits::BYTES)?;
        found.push(FileDigest { name: path.clone(), sha256, bytes });
    }
    Ok(found)
}
