//! What the tour does, as data: each command as a person types it, how it must end, and what it must say.

use crate::cli::exit::Exit;

/// Who types a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// The operator, who signs: aosctl asks for the passphrase.
    OpsSigning,
    /// The operator, where no passphrase is needed.
    Ops,
    /// The agent, with its own identity.
    Agent,
    /// Somebody with a shell, who writes to the database.
    Intruder,
}

impl Who {
    /// The prompt before what is typed.
    pub fn prompt(self) -> &'static str {
        match self {
            Who::OpsSigning | Who::Ops => "ops$",
            Who::Agent => "support-bot$",
            Who::Intruder => "sqlite>",
        }
    }
}

/// One command.
#[derive(Debug)]
pub struct Step {
    /// Why it is shown, in one sentence; may be empty.
    pub about: &'static str,
    /// Who types it.
    pub who: Who,
    /// Arguments of aosctl; lines of SQL for [`Who::Intruder`].
    pub args: &'static [&'static str],
    /// How it must end.
    pub exit: Exit,
    /// What it must say, wherever its lines break: the sentences around it rely on that.
    pub says: &'static [&'static str],
}

/// Some commands that show one thing.
#[derive(Debug)]
pub struct Chapter {
    /// What they show.
    pub title: &'static str,
    /// The commands.
    pub steps: &'static [Step],
}

const REFUND: &str = r#"{"charge":"ch_815","amount":95000,"currency":"usd"}"#;
const LARGE_REFUND: &str = r#"{"charge":"ch_816","amount":180000,"currency":"usd"}"#;
/// What the agent asks for before the door is open, and then.
const READ: &[&str] =
    &["request", "new", "--integration", "github", "--action", "issue.read", "--resource", "repo:acme/shop", "-q"];

/// The whole story. The workspace is new, so ids are known before.
pub const STORY: &[Chapter] = &[
    Chapter {
        title: "A workspace, and an agent that can reach nothing",
        steps: &[
            Step {
                about: "Money over 200 USD at once, or 2,000 USD a week, shall wait for a person.",
                who: Who::OpsSigning,
                args: &[
                    "init",
                    "--name",
                    "ACME",
                    "--operator",
                    "ops",
                    "--cap-move",
                    "200USD",
                    "--cap-week",
                    "2000USD",
                    "-q",
                ],
                exit: Exit::Done,
                says: &["money over 200.00 USD at once or 2,000.00 USD in 7 days asks", "verifier key"],
            },
            Step {
                about: "The agent gets an identity of its own, in a file that goes to the agent.",
                who: Who::OpsSigning,
                args: &["agent", "add", "support-bot", "--out", "support-bot.json", "-q"],
                exit: Exit::Done,
                says: &["support-bot (ag-1)"],
            },
            Step {
                about: "It wants to read a bug report. Nobody opened GitHub to it: no.",
                who: Who::Agent,
                args: READ,
                exit: Exit::No,
                says: &["r-1", "decision deny"],
            },
        ],
    },
    Chapter {
        title: "Open one narrow door",
        steps: &[
            Step {
                about: "One repository, to read, since nothing else is said. First: what that opens.",
                who: Who::OpsSigning,
                args: &["connect", "github", "--agent", "support-bot", "--scope", "repo:acme/shop"],
                exit: Exit::Done,
                says: &["opened g-1", "access read", "close it at any time"],
            },
            Step {
                about: "The same again: inside the grant, and nobody is bothered.",
                who: Who::Agent,
                args: READ,
                exit: Exit::Done,
                says: &["r-2", "decision allow", "inside g-1"],
            },
        ],
    },
    Chapter {
        title: "Be asked before a line is crossed",
        steps: &[
            Step {
                about: "A second door: refunds, for 30 days.",
                who: Who::OpsSigning,
                args: &[
                    "connect",
                    "stripe",
                    "--agent",
                    "support-bot",
                    "--scope",
                    "resource:refunds",
                    "--access",
                    "write",
                    "--expires",
                    "30d",
                    "-q",
                ],
                exit: Exit::Done,
                says: &["opened g-2", "in 30 days"],
            },
            Step {
                about: "950 USD is over the cap. The command that would do it is bound to the request.",
                who: Who::Agent,
                args: &[
                    "request",
                    "new",
                    "--integration",
                    "stripe",
                    "--action",
                    "refund.create",
                    "--resource",
                    "resource:refunds",
                    "--parameters",
                    REFUND,
                    "--summary",
                    "Refund ch_815",
                    "--rationale",
                    "The customer was charged twice",
                    "--rollback",
                    "None: a refund cannot be taken back",
                    "--command",
                    "--",
                    "echo",
                    "refund ch_815 950.00 USD",
                ],
                exit: Exit::Pending,
                says: &["r-3", "decision ask", "over the cap of 200.00 USD a move"],
            },
            Step {
                about: "And 1,800 USD, with less to say for itself.",
                who: Who::Agent,
                args: &[
                    "request",
                    "new",
                    "--integration",
                    "stripe",
                    "--action",
                    "refund.create",
                    "--resource",
                    "resource:refunds",
                    "--parameters",
                    LARGE_REFUND,
                    "--command",
                    "-q",
                    "--",
                    "echo",
                    "refund ch_816 1800.00 USD",
                ],
                exit: Exit::Pending,
                says: &["r-4", "decision ask"],
            },
        ],
    },
    Chapter {
        title: "Decide",
        steps: &[
            Step {
                about: "One screen, every morning.",
                who: Who::Ops,
                args: &["status"],
                exit: Exit::Done,
                says: &["waits for you (2)", "r-3", "r-4", "g-2", "verified just now"],
            },
            Step {
                about: "All that is known is shown, and what is shown is what gets signed.",
                who: Who::OpsSigning,
                args: &["approve", "r-3", "--reason", "both charges are there"],
                exit: Exit::Done,
                says: &["charged twice", "r-3 approved: support-bot may run it once"],
            },
            Step {
                about: "",
                who: Who::OpsSigning,
                args: &["deny", "r-4", "--reason", "not without the contract", "-q"],
                exit: Exit::Done,
                says: &["r-4 denied"],
            },
        ],
    },
    Chapter {
        title: "What was approved, and once",
        steps: &[
            Step {
                about: "The agent adds a digit. (`echo` stands for the tool that would refund.)",
                who: Who::Agent,
                args: &["run", "r-3", "--", "echo", "refund ch_815 9500.00 USD"],
                exit: Exit::No,
                says: &["not the command that r-3 was decided for"],
            },
            Step {
                about: "The very command that was approved:",
                who: Who::Agent,
                args: &["run", "r-3", "--", "echo", "refund ch_815 950.00 USD"],
                exit: Exit::Done,
                says: &["refund ch_815 950.00 USD", "r-3 succeeded"],
            },
            Step {
                about: "And again:",
                who: Who::Agent,
                args: &["run", "r-3", "--", "echo", "refund ch_815 950.00 USD"],
                exit: Exit::No,
                says: &["an approval works once"],
            },
        ],
    },
    Chapter {
        title: "Close a door",
        steps: &[Step {
            about: "At once, and no passphrase stands in the way. Opening it again takes one.",
            who: Who::Ops,
            args: &["revoke", "g-1", "--reason", "the bug is found"],
            exit: Exit::Done,
            says: &["closed g-1", "cancels r-2", "at GitHub", "undo: aosctl connect --again g-1"],
        }],
    },
    Chapter {
        title: "Keys that come due, and one page a month",
        steps: &[
            Step {
                about: "The credential behind the door stays where it is; what is kept is what is known of it.",
                who: Who::OpsSigning,
                args: &[
                    "key",
                    "add",
                    "refunds-token",
                    "--opens",
                    "stripe",
                    "--ref",
                    "op://shop/stripe/refunds",
                    "--created",
                    "2026-01-15",
                    "-q",
                ],
                exit: Exit::Done,
                says: &["refunds-token (k-1)", "op://shop/stripe/refunds"],
            },
            Step {
                about: "For cron: silent while nothing is due.",
                who: Who::Ops,
                args: &["rotation", "check"],
                exit: Exit::No,
                says: &["k-1 refunds-token overdue since 2026-04-15", "aosctl rotation record k-1"],
            },
            Step {
                about: "The access review, on the first of the month; here as it stands now.",
                who: Who::Ops,
                args: &["review"],
                exit: Exit::Done,
                says: &["ACCESS REVIEW", "DECIDE FIRST", "AR-07", "g-2", "NOT SIGNED"],
            },
        ],
    },
    Chapter {
        title: "Prove it",
        steps: &[
            Step {
                about: "Every signature, every link, every table. In one line, as for cron:",
                who: Who::Ops,
                args: &["audit", "verify", "--monitor"],
                exit: Exit::Monitor(0),
                says: &["AOSCTL AUDIT OK", "failed=0"],
            },
            Step {
                about: "Now somebody with a shell writes to the database: r-4, which was denied, shall be \
                        approved, and the Stripe door wider. (The tour writes it; sqlite3 need not be there.)",
                who: Who::Intruder,
                args: &[
                    "UPDATE requests SET denied_seq = NULL WHERE id = 'r-4';",
                    "INSERT INTO approvals SELECT 'r-4', operator, seq, until, points",
                    "  FROM approvals WHERE request = 'r-3';",
                    "UPDATE grants SET access = 'admin' WHERE id = 'g-2';",
                ],
                exit: Exit::Done,
                says: &[],
            },
            Step {
                about: "That opens nothing: what counts are the signed entries, not the tables.",
                who: Who::Agent,
                args: &["run", "r-4", "--", "echo", "refund ch_816 1800.00 USD"],
                exit: Exit::No,
                says: &["r-4 was denied"],
            },
            Step {
                about: "And it is found, by table and id:",
                who: Who::Ops,
                args: &["audit", "verify"],
                exit: Exit::Integrity,
                says: &[
                    "projections failed",
                    "table requests, row r-4",
                    "table approvals, row r-4",
                    "table grants, row g-2",
                    "NOT VERIFIED",
                ],
            },
        ],
    },
];
