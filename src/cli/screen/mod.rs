//! One request before a person: on one screen to decide about ([`one_screen`]), and unshortened ([`whole`]).
//!
//! Both are drawn from a [`RequestView`]. Whatever an agent had a hand in stands to the right of `| `, on every line
//! that it takes, so that no text can pass for one of our lines (law 8); labels, ids, counts and the two lines at the
//! top are ours.

mod fit;
mod gather;
mod page;
mod sections;
mod shape;
mod view;

pub use page::{Frame, one_screen, whole};
pub use sections::who;
pub use shape::flow;
pub use view::{EntryView, PartyView, RequestView};
