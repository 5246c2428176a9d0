//! `aosctl tour`: the whole job in a throwaway workspace, by the real commands.

mod page;
mod stage;
mod story;
mod view;

use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::outcome::{Outcome, Screen};
use crate::cli::style::Style;
use crate::cli::{Context, to_stdout};
use crate::sys::clock::Stopwatch;
use page::Page;
use stage::{Stage, judge};
use story::STORY;
pub use view::{ChapterView, StepView, TourView};

/// The whole job in a throwaway workspace, in seconds
///
/// A small company lets one agent refund customers: deny by default, a narrow door, a question over the cap, the answer,
/// one run, a closed door, the proof, and an attempt to tamper that the proof catches. Each command line is shown, then
/// what it prints. They are run by this very program, each as a process of its own, in a temporary directory with a
/// workspace, a state directory and a passphrase made up for it; your own workspace and identities are not looked at.
/// Nothing is asked, and nothing is left behind.
///
/// Exit status: 0 where every command ended as it should, 1 where one did not, 3 where the tour could not go on.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Runs it.
pub fn run(_args: Args, ctx: &Context) -> Result<Outcome, CliError> {
    refuse_what_it_would_not_heed(ctx)?;
    let watch = Stopwatch::start();
    let page = Page::new(shown(ctx));
    let mut told = Told { live: !ctx.json(), broken: None };
    let stage = Stage::set(page.screen())?;
    told.say(&page.opening());
    let mut view = TourView { complete: false, chapters: Vec::new() };
    let played = play(&stage, &page, &mut told, &mut view);
    // Whatever came before: the directory goes, and only then is it said that it is gone.
    let struck = stage.strike();
    view.complete = played.is_ok() && struck.is_ok();
    let end = match (played, struck) {
        (Err(e), Ok(())) => Err(e.hint("nothing is left behind: the tour's workspace is removed")),
        (Err(e), Err(left)) => Err(e.hint(left.what)),
        (Ok(()), struck) => struck,
    };
    if end.is_ok() {
        told.say(&page.closing(view.count(), watch.elapsed()));
    }
    let error = end.err().or(told.broken);
    let exit = error.as_ref().map_or(Exit::Done, |e| e.exit);
    let outcome = if ctx.json() { Outcome::of(exit, view) } else { Outcome::silent(exit) };
    Ok(match error {
        None => outcome,
        Some(e) => outcome.failed(e),
    })
}

/// The screen; data has no colours in what commands printed.
fn shown(ctx: &Context) -> Screen {
    let screen = ctx.screen();
    if ctx.json() { Screen { style: Style::plain(), ..screen } } else { screen }
}

/// What is played, and told while it is.
fn play(stage: &Stage, page: &Page, told: &mut Told, view: &mut TourView) -> Result<(), CliError> {
    for (n, chapter) in (1..).zip(STORY) {
        told.say(&page.heading(n, chapter.title));
        view.chapters.push(ChapterView { title: chapter.title.into(), steps: Vec::new() });
        for (i, step) in chapter.steps.iter().enumerate() {
            let seen = stage.play(step)?;
            told.say(&page.step(i, &seen));
            let fine = judge(step, &seen);
            if let Some(chapter) = view.chapters.last_mut() {
                chapter.steps.push(seen);
            }
            fine?;
        }
    }
    Ok(())
}

/// What goes to stdout as it comes, unless the whole is wanted as data.
struct Told {
    live: bool,
    /// Stdout cannot be written. That somebody stopped reading is no error.
    broken: Option<CliError>,
}

impl Told {
    fn say(&mut self, text: &str) {
        if self.live
            && self.broken.is_none()
            && let Err(e) = to_stdout(text)
        {
            self.broken = Some(CliError::could_not("io", format!("stdout cannot be written: {e}")));
        }
    }
}

/// The tour makes everything of its own: a flag that names something else is a misunderstanding.
fn refuse_what_it_would_not_heed(ctx: &Context) -> Result<(), CliError> {
    let global = &ctx.global;
    let named = [
        ("--workspace", global.workspace.is_some()),
        ("--identity", global.identity.is_some()),
        ("--passphrase-file", global.passphrase_file.is_some()),
    ];
    match named.iter().find(|(_, given)| *given) {
        Some((flag, _)) => Err(CliError::usage(format!("the tour makes a workspace of its own, and takes no {flag}"))
            .hint("leave it out: aosctl tour")),
        None => Ok(()),
    }
}
