//! Turning keys over: what is due at a moment, and what is done about a key that leaked.
//!
//! `due` and `guide` are pure: dates in, a state out; a kind of credential in, what to type out. What reads the workspace
//! (`read`, `case`) or files (`sweep`) stands beside them. Today an operator
//! turns a key over and says so (`aosctl rotation record`). A program that does it by itself will be one more adapter
//! beside these: it gets its work from the same states and ends in the same entry.

pub mod case;
pub mod due;
pub mod guide;
mod read;
pub mod sweep;

pub use due::{Dates, DueState, Standing, State};
pub use read::{Counts, Listed, due as due_now, listed, of, policy};
