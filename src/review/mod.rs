//! The access review: one page a month about everything that may reach anything.
//!
//! [`model`] is the page as data, the same behind every format; its pages are drawn in `cli`.

pub mod carry;
pub mod item;
pub mod model;
