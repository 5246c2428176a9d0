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
mod sections;
pub(in crate::cli::commands::review) mod words;
mod wrap;

use schemars::JsonSchema;
use serde::Serialize;

use crate::cli::global::Format;
use crate::cli::outcome::{Screen, View};
use crate::review::model::Review;
use order::{Room, Sheet};

pub(in crate::cli::commands) use csv::record as csv_record;
pub(in crate::cli::commands) use html::{apart, begin as html_begin, escape, minute};
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
        page::page(&sheet(&self.review, self.all), screen)
    }

    fn report(&self, format: Format) -> Option<String> {
        match format {
            Format::Markdown => Some(markdown::markdown(&sheet(&self.review, true))),
            Format::Html => Some(html::html(&sheet(&self.review, true))),
            Format::Csv => Some(csv::csv(&self.review)),
            Format::Human | Format::Json => None,
        }
    }
}

/// The page, and the annex where it is drawn.
fn sheet(review: &Review, with_annex: bool) -> Sheet {
    let mut sheet = fitting(review);
    if with_annex {
        sheet.annex = annex::annex(review);
    }
    sheet
}

/// The page with as much of what is in the annex as fits on one sheet of eighty columns; where nothing helps, because
/// there is much to decide first, with as little as there may be.
fn fitting(review: &Review) -> Sheet {
    let room = |fold, below, brief| order::sheet(review, Room { fold, below, brief });
    let fits = |page: &Sheet| page::height(page) <= page::LINES;
    let least = Room { fold: Fold::Groups(LEAST_ROWS), below: LEAST_BELOW, brief: true };
    // Each card has three lines or more: there is no need to try.
    if review.first.len().saturating_mul(3) > page::LINES {
        return order::sheet(review, least);
    }
    if review.rest.len() < page::LINES {
        let page = room(Fold::Items, MOST_BELOW, false);
        if fits(&page) {
            return page;
        }
    }
    let all = Fold::Groups(usize::MAX);
    let mut page = room(all, MOST_BELOW, false);
    for below in (LEAST_BELOW..MOST_BELOW).rev() {
        if fits(&page) {
            return page;
        }
        page = room(all, below, below <= BRIEF_BELOW);
    }
    let over = page::height(&page).saturating_sub(page::LINES);
    if over > page.rest.groups.len() {
        return order::sheet(review, least);
    }
    for rows in (LEAST_ROWS..page.rest.groups.len()).rev() {
        if fits(&page) {
            return page;
        }
        page = room(Fold::Groups(rows), LEAST_BELOW, true);
    }
    page
}

/// Lines of a section below everything else, at most and at least; the others are in the annex.
const MOST_BELOW: usize = 6;
const LEAST_BELOW: usize = 2;
/// Where there are no more than so many, everything is said briefly.
const BRIEF_BELOW: usize = 3;
/// Rows of everything else, folded, at least.
const LEAST_ROWS: usize = 4;
