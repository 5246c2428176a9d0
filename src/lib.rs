//! aosctl
#![forbid(unsafe_code)]
pub mod cli;
pub mod domain;
pub mod identity;
pub mod sys;
