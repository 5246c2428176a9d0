//! The tour as a page: sentences, what is typed, what it prints.

use std::time::Duration;

use super::view::StepView;
use crate::cli::exit::REGISTER;
use crate::cli::fold;
use crate::cli::outcome::Screen;
use crate::cli::screen::flow;

/// Wider terminals get no wider page: it is to look as what is documented.
const WIDEST: usize = 80;

/// A page.
#[derive(Debug, Clone, Copy)]
pub(super) struct Page {
    screen: Screen,
}

impl Page {
    pub(super) fn new(screen: Screen) -> Page {
        Page { screen: Screen { width: screen.width.min(WIDEST), ..screen } }
    }

    pub(super) fn screen(&self) -> Screen {
        self.screen
    }

    /// Who is who.
    pub(super) fn opening(&self) -> String {
        let mut text = self.sentences(
            "ACME, a small shop, lets an agent refund customers and read its code. What follows really runs, in a \
             workspace made for it, by the commands you would type; -q leaves hints out.",
            "",
        );
        text.push('\n');
        for (prompt, about) in [
            ("ops$", "a person who decides; a passphrase is made up for them, and given where one is asked for"),
            ("support-bot$", "the agent, with its own identity"),
        ] {
            let wrapped = self.wrapped(about, self.screen.width.saturating_sub(16));
            for (i, line) in wrapped.iter().enumerate() {
                let head = if i == 0 { prompt } else { "" };
                text.push_str(&format!("  {}{line}\n", self.screen.style.bold(&format!("{head:<14}"))));
            }
        }
        text
    }

    /// `--- 3. Open one narrow door -----`
    pub(super) fn heading(&self, n: usize, title: &str) -> String {
        self.ruled(&format!("{n}. {title}"))
    }

    fn ruled(&self, title: &str) -> String {
        let line = format!("--- {title} ");
        let rest = self.screen.width.saturating_sub(line.chars().count());
        format!("\n{}\n", self.screen.style.bold(&format!("{line}{}", "-".repeat(rest))))
    }

    /// The sentence, the command line, what it printed, and how it ended unless that is 0. The first of a chapter is 0.
    pub(super) fn step(&self, n: usize, step: &StepView) -> String {
        let style = self.screen.style;
        let mut text = if n == 0 { String::new() } else { String::from("\n") };
        if !step.about.is_empty() {
            text.push_str(&self.sentences(&step.about, "# "));
        }
        text.push_str(&self.typed(step));
        text.push_str(&step.output);
        if !step.output.is_empty() && !step.output.ends_with('\n') {
            text.push('\n');
        }
        match step.exit {
            Some(0) => {}
            Some(code) => {
                let meaning = REGISTER.iter().find(|(n, _)| *n == code).map_or("", |(_, m)| *m);
                let short = meaning.split(':').next().unwrap_or_default();
                text.push_str(&style.yellow(&format!("[exit {code}: {short}]")));
                text.push('\n');
            }
            None => text.push_str("[killed by a signal]\n"),
        }
        text
    }

    /// The prompt and what is typed after it, so that it can be pasted where it takes several lines.
    fn typed(&self, step: &StepView) -> String {
        let mut text = String::new();
        for (i, line) in step.typed.lines().enumerate() {
            // As the sqlite3 program asks for more of a statement.
            let prompt = if i > 0 && line.starts_with(' ') { "   ...>" } else { &step.prompt };
            let folded = fold::command(&format!("{prompt} {line}"), "", self.screen.width);
            for row in folded.lines() {
                text.push_str(&format!("{}\n", self.screen.style.bold(row)));
            }
        }
        text
    }

    /// The last words: said when everything is gone.
    pub(super) fn closing(&self, commands: usize, took: Duration) -> String {
        let mut text = self.ruled("That was it");
        text.push_str(&self.sentences(
            &format!(
                "{commands} steps in {:.1} seconds, and each ended as it should. The workspace is removed; nothing is left \
                 behind. What somebody with a shell can still do: SECURITY.md.",
                took.as_secs_f64()
            ),
            "",
        ));
        text.push_str(
            "\nTo begin for real:\n  \
             cargo install --path . --locked         unless aosctl is installed\n  \
             aosctl init --name COMPANY              asks for caps and a passphrase\n  \
             aosctl agent add AGENT\n  \
             aosctl connect                          asks what to open, and for how long\n  \
             aosctl agent show AGENT                 what it can reach at worst\n\
             Then, daily:\n  \
             aosctl status\n  \
             aosctl approve\n\
             On the first of the month:\n  \
             aosctl review\n\
             What stops everything at once, without a passphrase:\n  \
             aosctl freeze\n",
        );
        text
    }

    /// Sentences of ours, each line behind a margin.
    fn sentences(&self, text: &str, margin: &str) -> String {
        let room = self.screen.width.saturating_sub(margin.len());
        self.wrapped(text, room).iter().map(|line| format!("{}\n", self.dim(margin, line))).collect()
    }

    fn dim(&self, margin: &str, line: &str) -> String {
        if margin.is_empty() {
            line.to_string()
        } else {
            self.screen.style.dim(&format!("{margin}{line}")).into_owned()
        }
    }

    fn wrapped(&self, text: &str, room: usize) -> Vec<String> {
        let words: Vec<String> = text.split_whitespace().map(str::to_string).collect();
        flow(&words, room)
    }
}
