//! Turning keys over: what is due at a moment, and what is done about a key that leaked.
//!
//! `due` is pure: dates in, a state out. What reads the workspace stands in files of its own beside it. Today an operator
//! turns a key over and says so (`aosctl rotation record`). A program that does it by itself will be one more adapter
//! beside these: it gets its work from the same states and ends in the same entry.

pub mod due;
mod read;

pub use due::{Dates, DueState, Standing, State};
pub use read::{Counts, Listed, due as due_now, listed, of, policy};
