//! The tour as data.

use schemars::JsonSchema;
use serde::Serialize;

use super::page::Page;
use crate::cli::outcome::{Screen, View};

/// What the tour did.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TourView {
    /// Every command ended as it should, and the temporary directory is gone.
    pub complete: bool,
    /// What was played, in order.
    pub chapters: Vec<ChapterView>,
}

/// Some commands that show one thing.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ChapterView {
    /// What they show.
    pub title: String,
    /// The commands.
    pub steps: Vec<StepView>,
}

/// One command.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct StepView {
    /// Why it is shown.
    pub about: String,
    /// The prompt that it stands behind: `ops$`, `support-bot$`, `sqlite>`.
    pub prompt: String,
    /// As a person types it; several lines of SQL.
    pub typed: String,
    /// How it ended: its exit code, absent where a signal killed it. Writing to the database has 0.
    pub exit: Option<u8>,
    /// How it had to end.
    pub expected: u8,
    /// What it printed on stdout and stderr.
    pub output: String,
}

impl TourView {
    /// Commands that were run.
    pub fn count(&self) -> usize {
        self.chapters.iter().map(|c| c.steps.len()).sum()
    }
}

impl View for TourView {
    const SCHEMA: &'static str = "aosctl.tour/v1";

    fn human(&self, screen: &Screen) -> String {
        let page = Page::new(*screen);
        let mut text = page.opening();
        for (n, chapter) in (1..).zip(&self.chapters) {
            text.push_str(&page.heading(n, &chapter.title));
            chapter.steps.iter().enumerate().for_each(|(i, step)| text.push_str(&page.step(i, step)));
        }
        text
    }
}
