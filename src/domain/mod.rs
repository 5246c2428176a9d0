//! What aosctl is about, as plain data and pure functions: no I/O, no clock, no SQL, no command line.
//!
//! The heart is [`decide::decide`] (may this agent do this now?) and [`authority::judge`] (may this entry be in the
//! log, and what does it change?). Writing, verifying and reading all go through these two.

pub mod access;
pub mod advice;
pub mod authority;
pub mod bind;
pub mod catalogue;
pub mod decide;
pub mod event;
pub mod facets;
pub mod facts;
pub mod grant;
pub mod id;
pub mod identity;
pub mod integration;
pub mod key;
pub mod money;
pub mod point;
pub mod program;
pub mod request;
pub mod review;
pub mod rules;
pub mod scope;
pub mod time;
pub mod weigh;
