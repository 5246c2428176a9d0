//! What is erased, or would be, as data.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::cli::outcome::{Screen, View};
use crate::cli::show;
use crate::cli::text::{safe, truncate};
use crate::domain::id::Id;
use crate::log::canonical;
use crate::workspace::erase::{HandedOut, Step};

/// Of a text that would go, so much is shown.
const SHOWN: usize = 160;

/// An erasure, done, asked for, or looked at. The text itself is never in it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct AuditEraseView {
    /// Nothing was done.
    pub dry_run: bool,
    /// The entry.
    pub entry: u64,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: String,
    /// What is erased.
    pub members: Vec<MemberView>,
    /// Where it stands.
    pub state: EraseState,
    /// The request in the queue.
    pub request: Option<Id>,
    /// Who asked.
    pub requester: Option<Id>,
    /// Operators who must agree.
    pub needed: u8,
    /// Those who do, the one who types this among them.
    pub agreed: Vec<Id>,
    /// Decided by one alone, because there is no second operator.
    pub self_approved: bool,
    /// The entry that says what was erased.
    pub erased_by: Option<u64>,
    /// Entries of the approvals that it names.
    pub approvals: Vec<u64>,
    /// Nothing of it is left in the workspace's files; absent where nothing was erased.
    pub bytes_gone: Option<bool>,
    /// Open copies of the database that were removed because they held it or may have: from before a migration, and of a
    /// backup or an init that was cut off.
    pub removed_copies: Vec<String>,
    /// Other entries that hold the same text (at most 20; a text of less than 8 bytes is not looked for).
    pub also_in: Vec<u64>,
    /// What was handed out and holds it, and what a restore that was cut off left beside the workspace: no erasure reaches
    /// that.
    pub beyond_reach: Vec<HandedOut>,
}

/// A member that is erased.
#[derive(Debug, Serialize, JsonSchema)]
pub struct MemberView {
    /// Its name.
    pub name: String,
    /// How many bytes it takes in the log.
    pub bytes: usize,
    /// The text, for the page before it goes. Foreign.
    #[serde(skip)]
    #[schemars(skip)]
    pub text: String,
}

/// Where an erasure stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EraseState {
    /// Done.
    Erased,
    /// Asked for; others have to agree.
    Waits,
    /// A dry run: it would be done.
    WouldErase,
    /// A dry run: others would have to agree first.
    WouldWait,
}

impl MemberView {
    /// A member with what stands in it.
    pub fn of(name: &str, value: &Value) -> MemberView {
        let text = match value {
            Value::String(s) => s.clone(),
            other => other.to_string(),
        };
        let bytes = canonical::to_vec(value).map_or(0, |b| b.len());
        MemberView { name: name.to_string(), bytes, text }
    }
}

impl AuditEraseView {
    /// Takes over where it stands.
    pub fn take(&mut self, step: &Step) {
        self.state = match (self.dry_run, step.is_agreed()) {
            (false, _) if step.erased_by.is_some() => EraseState::Erased,
            (false, _) => EraseState::Waits,
            (true, true) => EraseState::WouldErase,
            (true, false) => EraseState::WouldWait,
        };
        self.request = step.request;
        self.requester = step.requester;
        self.needed = step.needed;
        self.agreed = step.agreed.iter().copied().collect();
        self.self_approved = step.needed == 1 && step.is_agreed();
        self.erased_by = step.erased_by;
        self.approvals = step.approvals.iter().copied().collect();
    }

    /// What would go, with its text.
    pub fn before(&self, screen: &Screen) -> String {
        let mut page = show::field(screen, "entry", &format!("{} ({})", self.entry, self.kind));
        for m in &self.members {
            let text = truncate(&safe(&m.text), SHOWN).into_owned();
            page.push_str(&show::field(screen, &m.name, &format!("{text} ({} bytes)", m.bytes)));
        }
        page.push_str(&self.rest(screen));
        page
    }

    fn rest(&self, screen: &Screen) -> String {
        let mut page = String::new();
        if !self.also_in.is_empty() {
            let list = self.also_in.iter().map(u64::to_string).collect::<Vec<_>>().join(", ");
            page.push_str(&show::field(screen, "stands also", &format!("in entry {list}: look there, too")));
        }
        for (i, h) in self.beyond_reach.iter().enumerate() {
            let label = if i == 0 { "beyond reach" } else { "" };
            let at = if h.at.is_empty() { String::new() } else { format!(" of {}", h.at) };
            page.push_str(&show::field(screen, label, &format!("{}{at}: {}", h.kind, h.file)));
        }
        page
    }

    fn who(&self) -> String {
        let names = self.agreed.iter().map(Id::to_string).collect::<Vec<_>>().join(", ");
        match (self.needed, self.self_approved) {
            (1, _) => format!("{names} alone (self-approved)"),
            (n, _) => format!("{names}: {} of {n}", self.agreed.len()),
        }
    }
}

impl View for AuditEraseView {
    const SCHEMA: &'static str = "aosctl.audit-erase/v1";

    fn human(&self, screen: &Screen) -> String {
        let names = self.members.iter().map(|m| m.name.as_str()).collect::<Vec<_>>().join(", ");
        let mut page = match self.state {
            EraseState::WouldErase | EraseState::WouldWait => {
                let mut page = self.before(screen);
                let what = if self.state == EraseState::WouldErase { "would agree" } else { "would wait" };
                page.push_str(&show::field(screen, what, &self.who()));
                return page;
            }
            EraseState::Waits => {
                let mut page =
                    show::field(screen, "waits", &format!("{names} of entry {} ({})", self.entry, self.kind));
                page.push_str(&show::field(screen, "agreed", &self.who()));
                page
            }
            EraseState::Erased => {
                let mut page =
                    show::field(screen, "erased", &format!("{names} of entry {} ({})", self.entry, self.kind));
                if let Some(by) = self.erased_by {
                    page.push_str(&show::field(screen, "said by", &format!("entry {by}")));
                }
                page.push_str(&show::field(screen, "agreed", &self.who()));
                page
            }
        };
        if let Some(request) = self.request {
            page.push_str(&show::field(screen, "request", &request.to_string()));
        }
        match self.bytes_gone {
            Some(true) => page.push_str(&show::field(screen, "bytes", "gone from every file of the workspace")),
            Some(false) => page.push_str(&show::field(screen, "bytes", "STILL THERE: see the warning")),
            None => {}
        }
        if !self.removed_copies.is_empty() {
            let list = self.removed_copies.join(", ");
            page.push_str(&show::field(
                screen,
                "removed",
                &format!("{list} (open copies that held it, too, or may have)"),
            ));
        }
        page.push_str(&self.rest(screen));
        page
    }
}

/// The bytes of erasures that were cut off or had to wait.
#[derive(Debug, Serialize, JsonSchema)]
pub struct EraseFinishView {
    /// There was something to finish.
    pub unfinished: bool,
    /// Nothing is left in the workspace's files.
    pub bytes_gone: bool,
    /// Open copies of the database that were removed because they may have held something that was erased: from before a
    /// migration, and of a backup or an init that was cut off.
    pub removed_copies: Vec<String>,
}

impl View for EraseFinishView {
    const SCHEMA: &'static str = "aosctl.audit-erase-finish/v1";

    fn human(&self, screen: &Screen) -> String {
        let mut page = match (self.unfinished, self.bytes_gone) {
            (false, _) => "nothing is left to finish\n".to_string(),
            (true, true) => show::field(screen, "bytes", "gone from every file of the workspace"),
            (true, false) => show::field(screen, "bytes", "STILL THERE: see the warning"),
        };
        if !self.removed_copies.is_empty() {
            page.push_str(&show::field(screen, "removed", &self.removed_copies.join(", ")));
        }
        page
    }
}
