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

const SMALL_REFUND: &str = r#"{"charge":"ch_812","amount":4000,"currency":"usd"}"#;
const REFUND: &str = r#"{"charge":"ch_815","amount":95000,"currency":"usd"}"#;
const LARGE_REFUND: &str = r#"{"charge":"ch_816","amount":180000,"currency":"usd"}"#;

/// The agent asks for a refund with these parameters.
macro_rules! refund {
    ($parameters:expr $(, $more:expr)*) => {
        &[
            "request", "new", "--integration", "stripe", "--action", "refund.create", "--resource", "resource:refunds",
            "--parameters", $parameters, $($more),*
        ]
    };
}

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
                about: "Stripe holds ACME's customers anyway: it counts as inside the boundary.",
                who: Who::OpsSigning,
                args: &["integration", "add", "stripe", "--inside", "-q"],
                exit: Exit::Done,
                says: &["inside the boundary"],
            },
            Step {
                about: "The agent gets an identity of its own, in a file that goes to the agent.",
                who: Who::OpsSigning,
                args: &["agent", "add", "support-bot", "--out", "support-bot.json", "-q"],
                exit: Exit::Done,
                says: &["support-bot (ag-1)"],
            },
        ],
    },
    Chapter {
        title: "Deny by default",
        steps: &[Step {
            about: "The agent asks for a refund of 40 USD. Nobody gave it Stripe: the answer is no.",
            who: Who::Agent,
            args: refund!(SMALL_REFUND),
            exit: Exit::No,
            says: &["deny", "it has no grant to stripe", "aosctl connect stripe --agent support-bot"],
        }],
    },
    Chapter {
        title: "Open narrow doors",
        steps: &[
            Step {
                about: "Refunds only, for 30 days. What it opens is said before it is signed.",
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
                    "--data",
                    "customer",
                    "--mission",
                    "refunds",
                    "--expires",
                    "30d",
                ],
                exit: Exit::Done,
                says: &["opened g-1", "in 30 days"],
            },
            Step {
                about: "One repository. Nothing else was said, so it is to read.",
                who: Who::OpsSigning,
                args: &["connect", "github", "--agent", "support-bot", "--scope", "repo:acme/shop", "-q"],
                exit: Exit::Done,
                says: &["opened g-2", "access read"],
            },
            Step {
                about: "The same refund again: inside the grant, under the caps, so nobody is bothered.",
                who: Who::Agent,
                args: refund!(SMALL_REFUND),
                exit: Exit::Done,
                says: &["allow", "inside g-1"],
            },
        ],
    },
    Chapter {
        title: "Be asked before a line is crossed",
        steps: &[
            Step {
                about: "950 USD is over the cap. The command that would do it is bound to the request.",
                who: Who::Agent,
                args: refund!(
                    REFUND,
                    "--summary",
                    "Refund ch_815",
                    "--recommendation",
                    "Refund it in full",
                    "--rationale",
                    "The customer was charged twice",
                    "--alternative",
                    "Credit the next invoice",
                    "--rollback",
                    "None: a refund cannot be taken back",
                    "--command",
                    "--",
                    "echo",
                    "refund ch_815 950.00 USD"
                ),
                exit: Exit::Pending,
                says: &["ask", "over the cap of 200.00 USD a move", "r-3"],
            },
            Step {
                about: "And 1,800 USD, with less to say for itself.",
                who: Who::Agent,
                args: refund!(
                    LARGE_REFUND,
                    "--summary",
                    "Refund a year",
                    "-q",
                    "--command",
                    "--",
                    "echo",
                    "refund ch_816 1800.00 USD"
                ),
                exit: Exit::Pending,
                says: &["ask", "r-4"],
            },
        ],
    },
    Chapter {
        title: "Decide",
        steps: &[
            Step {
                about: "What waits. On a terminal, `aosctl approve` goes through it one by one.",
                who: Who::Ops,
                args: &["queue"],
                exit: Exit::Done,
                says: &["r-3", "r-4", "2 wait"],
            },
            Step {
                about: "Everything there is to know is shown, and what is shown is what is signed.",
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
                about: "The agent slips a digit in. (`echo` stands for the tool that would refund.)",
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
        title: "Stop",
        steps: &[
            Step {
                about: "Something looks odd: everything stops at once, and no passphrase is asked for.",
                who: Who::Ops,
                args: &["freeze", "--reason", "odd refunds"],
                exit: Exit::Done,
                says: &["frozen everything", "undo, as an operator: aosctl thaw"],
            },
            Step {
                about: "",
                who: Who::Agent,
                args: refund!(SMALL_REFUND, "-q"),
                exit: Exit::No,
                says: &["the workspace is frozen"],
            },
            Step {
                about: "It was nothing. Opening again takes the passphrase.",
                who: Who::OpsSigning,
                args: &["thaw", "--reason", "it was a test", "-q"],
                exit: Exit::Done,
                says: &["thawed everything", "signed by op-1"],
            },
            Step {
                about: "A door that is not needed any more is closed, without a passphrase.",
                who: Who::Ops,
                args: &["revoke", "g-2", "--reason", "bug found", "-q"],
                exit: Exit::Done,
                says: &["closed g-2", "at GitHub"],
            },
        ],
    },
    Chapter {
        title: "Look at it, and prove it",
        steps: &[
            Step {
                about: "One screen, every morning.",
                who: Who::Ops,
                args: &["status"],
                exit: Exit::Done,
                says: &["open widest (1)", "g-1", "verified just now"],
            },
            Step {
                about: "Every signature, every link, every table, from the bytes up.",
                who: Who::Ops,
                args: &["audit", "verify"],
                exit: Exit::Done,
                says: &["signatures ok", "projections ok", "verified: "],
            },
        ],
    },
    Chapter {
        title: "Tamper with it",
        steps: &[
            Step {
                about: "Somebody with a shell writes to the database: r-4, which was denied, shall be \
                        approved, and the Stripe door wider. (The tour writes it; sqlite3 need not be there.)",
                who: Who::Intruder,
                args: &[
                    "UPDATE requests SET denied_seq = NULL WHERE id = 'r-4';",
                    "INSERT INTO approvals SELECT 'r-4', operator, seq, until, points",
                    "  FROM approvals WHERE request = 'r-3';",
                    "UPDATE grants SET access = 'admin' WHERE id = 'g-1';",
                ],
                exit: Exit::Done,
                says: &[],
            },
            Step {
                about: "It opens nothing: what counts are the signed entries, not the tables.",
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
                    "table grants, row g-1",
                    "NOT VERIFIED",
                ],
            },
        ],
    },
];
