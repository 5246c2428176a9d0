//! The page, drawn: terminal, Markdown, HTML and CSV beside the JSON, all of one value, in one order and one wording.
//!
//! A pure function of a [`Review`]: no clock, no locale, no random ids, so that the same value gives the same bytes
//! (law 11). Foreign words are made visible and harmless in each (law 8).

mod annex;
mod card;
mod csv;
mod html;
mod markdown;
mod order;
mod page;
mod rest;
mod words;

use schemars::JsonSchema;
use serde::Serialize;

use crate::cli::global::Format;
use crate::cli::outcome::{Screen, View};
use crate::review::model::Review;
use order::Sheet;
use rest::Fold;

/// A review, ready to be drawn. Its JSON is the review's own.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(transparent)]
pub struct ReviewView {
    review: Review,
    #[serde(skip)]
    all: bool,
}

impl ReviewView {
    /// The page; with `all` the terminal shows the annex too, which Markdown and HTML always carry.
    pub fn new(review: Review, all: bool) -> ReviewView {
        ReviewView { review, all }
    }

    /// What is drawn.
    pub fn review(&self) -> &Review {
        &self.review
    }
}

impl View for ReviewView {
    const SCHEMA: &'static str = "aosctl.review/v1";

    fn human(&self, screen: &Screen) -> String {
        page::page(&sheet(&self.review), screen, self.all)
    }

    fn report(&self, format: Format) -> Option<String> {
        match format {
            Format::Markdown => Some(markdown::markdown(&sheet(&self.review))),
            Format::Html => Some(html::html(&sheet(&self.review))),
            Format::Csv => Some(csv::csv(&self.review)),
            Format::Human | Format::Json => None,
        }
    }
}

/// The page with as much of everything else as fits on one sheet of eighty columns.
fn sheet(review: &Review) -> Sheet {
    let mut sheet = order::sheet(review, Fold::Items);
    let mut most = usize::MAX;
    let mut fold = Fold::Groups;
    while page::height(&sheet) > page::LINES && most > 1 {
        sheet = order::sheet(review, fold);
        let rows = sheet.rest.rows.len();
        let over = page::height(&sheet).saturating_sub(page::LINES);
        // One row fewer at least, and no more than what is too many.
        most = rows.min(most).saturating_sub(over.clamp(1, rows.max(1))).max(1);
        fold = Fold::Few(most);
        if rows <= 1 {
            break;
        }
    }
    sheet
}
