//! The access review: one page a month about everything that may reach anything.

pub mod render;
