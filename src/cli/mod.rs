//! The only room that prints or asks.
pub mod style;
pub mod term;
pub mod text;
