//! The policy's text and the catalogue's files, read into checked [`crate::domain::rules::Rules`].
//!
//! Pure over text: no clock, no files, no printing. The caller reads `policy.toml` and `catalogue/*.toml` and hands the
//! text in with the file's name, which every error repeats with line and column.
//!
//! The way of a policy: [`file::parse`] and [`catalogue::parse_kind`], [`catalogue::merge`], [`file::to_rules`]. What
//! comes out decides nothing until an operator adopts it. [`lint()`] finds what is legal and probably not meant,
//! [`diff()`] says what an adoption would change, [`matrix()`] what needs a person.

pub mod catalogue;
mod diff;
mod error;
pub mod file;
mod lint;
mod matrix;
mod source;

pub use diff::{DiffLine, Effect, diff};
pub use error::PolicyError;
pub use file::{Key, PolicyFile};
pub use lint::{Level, Lint, lint};
pub use matrix::{MatrixRow, matrix};
