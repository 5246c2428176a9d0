//! The pages of the review, drawn of generated companies: they fit, they say everything, and nothing foreign gets through.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, may print, and has files, a clock and an environment of its own"
)]

#[path = "review_pages/company.rs"]
mod company;

use aosctl::cli::commands::review::render::ReviewView;
use aosctl::cli::outcome::{Screen, View};
use aosctl::cli::style::Style;
use company::{Stage, company};

fn plain() -> Screen {
    Screen { width: 80, style: Style::plain() }
}

fn page(grants: usize, stage: Stage) -> String {
    ReviewView::new(company(grants, stage), false).human(&plain())
}

#[test]
fn look() {
    for n in [3, 35, 400] {
        for s in [Stage::Fresh, Stage::Signed] {
            let p = page(n, s);
            println!("{p}\n=== {} lines", p.lines().count());
        }
    }
}
