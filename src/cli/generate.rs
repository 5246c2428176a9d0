//! What is published beside the binary and drawn from the same definitions: man pages, completion scripts, the reference
//! of the command line, and the JSON Schemas of everything that is printed as JSON.
//!
//! Nothing here is written at run time. `tests/generated.rs` compares it with the files in the repository, and writes
//! them when `AOSCTL_UPDATE=1` is set. Everything is without dates and machine paths, so that it is the same everywhere.

use clap_mangen::Man;
use clap_mangen::roff::{Inline, Roff, bold, roman};
use serde_json::{Map, Value};

use super::commands::completions::{Shell, script};
use super::exit::REGISTER;
use super::outcome::View;

mod schemas;

pub use schemas::schemas;

/// A file that is generated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Generated {
    /// Its path from the root of the repository.
    pub path: String,
    /// Its text.
    pub text: String,
}

/// The directories and files in which nothing else may lie.
pub const PLACES: &[&str] = &["man", "completions", "docs/schemas", "docs/cli.md"];

/// Everything that is generated.
///
/// # Errors
/// What a generator gives; none of them is expected to.
pub fn everything() -> Result<Vec<Generated>, std::io::Error> {
    let mut files = man_pages()?;
    for (shell, path) in [(Shell::Bash, "aosctl.bash"), (Shell::Zsh, "_aosctl"), (Shell::Fish, "aosctl.fish")] {
        files.push(Generated { path: format!("completions/{path}"), text: script(shell)? });
    }
    for (name, schema) in schemas() {
        let text = serde_json::to_string_pretty(&schema)?;
        files.push(Generated { path: schema_path(&name), text: format!("{text}\n") });
    }
    files.push(Generated { path: "docs/cli.md".into(), text: reference() });
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

/// Where the JSON Schema of a name lies: `aosctl.grant-list/v1` in `docs/schemas/aosctl.grant-list.v1.json`.
pub fn schema_path(name: &str) -> String {
    format!("docs/schemas/{}.json", name.replace('/', "."))
}

/// Every command that is not hidden, from the root down, as it is typed: `aosctl grant list`.
pub fn commands() -> Vec<(String, clap::Command)> {
    fn walk(name: String, command: &clap::Command, found: &mut Vec<(String, clap::Command)>) {
        found.push((name.clone(), command.clone()));
        for sub in command.get_subcommands().filter(|c| !c.is_hide_set()) {
            walk(format!("{name} {}", sub.get_name()), sub, found);
        }
    }
    // Eighty columns, whatever the terminal of the person who generates.
    let mut root = super::command().term_width(80);
    root.build();
    let mut found = Vec::new();
    walk("aosctl".into(), &root, &mut found);
    found
}

/// One man page a command, in section 1.
fn man_pages() -> Result<Vec<Generated>, std::io::Error> {
    let all = commands();
    all.iter()
        .map(|(name, command)| {
            let page = name.replace(' ', "-");
            let parent = page.rsplit_once('-').map(|(parent, _)| parent.to_string());
            Ok(Generated { path: format!("man/{page}.1"), text: man_page(&page, command, parent)? })
        })
        .collect()
}

fn man_page(page: &str, command: &clap::Command, parent: Option<String>) -> Result<String, std::io::Error> {
    // Pages name commands with hyphens: `man aosctl-grant-list`.
    let mut command = command.clone().display_name(page);
    let man = Man::new(command.clone()).title(page).section("1");
    let mut bytes = Vec::new();
    man.render_name_section(&mut bytes)?;
    synopsis(&mut command).to_writer(&mut bytes)?;
    man.render_description_section(&mut bytes)?;
    if command.get_arguments().any(|a| !a.is_hide_set()) {
        man.render_options_section(&mut bytes)?;
    }
    if command.has_subcommands() {
        man.render_subcommands_section(&mut bytes)?;
    }
    let mut roff = Roff::new();
    if let Some(notes) = command.get_after_long_help().or_else(|| command.get_after_help()) {
        roff.control("SH", ["NOTES AND EXAMPLES"]);
        // As it stands: examples are lines.
        roff.control("nf", []);
        for line in notes.to_string().lines() {
            roff.text([roman(line)]);
        }
        roff.control("fi", []);
    }
    exit_status(&mut roff);
    if parent.is_none() {
        listed(&mut roff, "ENVIRONMENT", ENVIRONMENT);
        listed(&mut roff, "FILES", FILES);
    }
    see_also(&mut roff, page, &command, parent);
    roff.to_writer(&mut bytes)?;
    let body = String::from_utf8(bytes).map_err(std::io::Error::other)?;
    // Every section comes with the same definition of an apostrophe; once is enough. The date is left empty.
    let title = format!(".TH {page} 1 \"\" \"aosctl {}\" \"aosctl manual\"\n", env!("CARGO_PKG_VERSION"));
    Ok(format!("{APOSTROPHE}{title}{}", body.replace(APOSTROPHE, "")))
}

/// How the generator begins whatever it writes.
const APOSTROPHE: &str = ".ie \\n(.g .ds Aq \\(aq\n.el .ds Aq '\n";

/// What aosctl takes from the environment ([`crate::sys::env`]).
const ENVIRONMENT: &[(&str, &str)] = &[
    ("AOSCTL_WORKSPACE", "The workspace directory, unless --workspace names one."),
    ("AOSCTL_STATE_DIR", "Where the log identity, the pin and the agents' identities lie."),
    ("AOSCTL_IDENTITY", "The identity file, unless --identity names one."),
    ("AOSCTL_PAGER, PAGER", "Shows long pages on a terminal; set to nothing, none does."),
    ("AOSCTL_COMPLETE", "Set by the completion scripts: aosctl answers the shell instead of running."),
    ("NO_COLOR, TERM, COLUMNS", "Colours and the width of a page."),
];

/// Where things lie unless the environment or a flag says otherwise.
const FILES: &[(&str, &str)] = &[
    ("~/.local/share/aosctl/", "The workspace: aosctl.db, policy.toml, catalogue/, operators/ with sealed identities."),
    (
        "~/.local/state/aosctl/ORIGIN/",
        "The state directory of one log: log.json, pin, agents/. Not part of a copy of the workspace.",
    ),
];

fn listed(roff: &mut Roff, title: &str, rows: &[(&str, &str)]) {
    roff.control("SH", [title]);
    for (name, about) in rows {
        roff.control("TP", []);
        roff.text([bold(*name)]);
        roff.text([roman(*about)]);
    }
}

/// The line that `--help` gives; the generator's own names every flag and no value.
fn synopsis(command: &mut clap::Command) -> Roff {
    let usage = command.render_usage().to_string();
    let mut roff = Roff::new();
    roff.control("SH", ["SYNOPSIS"]);
    for (i, line) in usage.trim_start_matches("Usage:").trim().lines().enumerate() {
        if i > 0 {
            roff.control("br", []);
        }
        roff.text([roman(line.trim())]);
    }
    roff
}

/// The register, on every page: the meaning of each code is the same everywhere.
fn exit_status(roff: &mut Roff) {
    let codes: Vec<(String, &str)> = REGISTER.iter().map(|(code, meaning)| (code.to_string(), *meaning)).collect();
    let rows: Vec<(&str, &str)> = codes.iter().map(|(code, meaning)| (code.as_str(), *meaning)).collect();
    listed(roff, "EXIT STATUS", &rows);
}

fn see_also(roff: &mut Roff, page: &str, command: &clap::Command, parent: Option<String>) {
    let below = command.get_subcommands().filter(|c| !c.is_hide_set()).map(|c| format!("{page}-{}", c.get_name()));
    let mut others: Vec<String> = parent.into_iter().chain(below).collect();
    others.dedup();
    roff.control("SH", ["SEE ALSO"]);
    let mut line: Vec<Inline> = Vec::new();
    for (i, other) in others.iter().enumerate() {
        if i > 0 {
            line.push(roman(", "));
        }
        line.extend([bold(other.as_str()), roman("(1)")]);
    }
    roff.text(line);
}

/// The reference: what `--help` says of every command, at 80 columns.
fn reference() -> String {
    let mut text = String::from(
        "# The command line of aosctl\n\n\
         Generated from the definitions that the program itself uses (`AOSCTL_UPDATE=1 cargo test --locked --test generated`): what\n\
         `--help` says of every command; the global options, which every command takes, are said once. The same stands in the\n\
         man pages.\n\n\
         | exit code | meaning, the same everywhere |\n|---|---|\n",
    );
    for (code, meaning) in REGISTER {
        text.push_str(&format!("| {code} | {meaning} |\n"));
    }
    for (name, mut command) in commands() {
        text.push_str(&reference_of(&name, &command.render_long_help().to_string()));
    }
    text
}

/// One command's part of the reference. The options that every command takes are said once, at the root.
pub fn reference_of(name: &str, help: &str) -> String {
    let own = match help.split_once("\nGlobal options:\n") {
        Some((own, _)) if name != "aosctl" => own,
        _ => help,
    };
    let lines: Vec<&str> = own.trim_end().lines().map(str::trim_end).collect();
    format!("\n## {name}\n\n```text\n{}\n```\n", lines.join("\n"))
}

/// The published schema of a view: what it is made of, and the `schema` member that names it.
fn schema_of<V: View>() -> (String, Value) {
    let generator = schemars::generate::SchemaSettings::draft2020_12().for_serialize().into_generator();
    (V::SCHEMA.to_string(), named(V::SCHEMA, generator.into_root_schema_for::<V>().to_value(), true))
}

/// Adds the name to a schema: what is printed carries it as `schema`; what is read may.
fn named(name: &str, mut schema: Value, required: bool) -> Value {
    let constant = serde_json::json!({ "const": name, "description": "The name of this schema." });
    if let Some(top) = schema.as_object_mut() {
        top.insert("title".into(), name.into());
        if let Value::Object(properties) = top.entry("properties").or_insert_with(|| Value::Object(Map::new())) {
            properties.insert("schema".into(), constant);
        }
        if required {
            top.values_mut().for_each(open);
        }
        if required
            && let Value::Array(names) = top.entry("required").or_insert_with(|| Value::Array(Vec::new()))
            && !names.iter().any(|r| r == "schema")
        {
            names.push("schema".into());
        }
    }
    schema
}

/// Readers ignore members that they do not know, so no schema of what is printed forbids them.
fn open(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            if members.get("additionalProperties") == Some(&Value::Bool(false)) {
                members.remove("additionalProperties");
            }
            members.values_mut().for_each(open);
        }
        Value::Array(items) => items.iter_mut().for_each(open),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::ValueEnum;

    #[test]
    fn every_shell_has_its_script() {
        let scripts = everything().unwrap().into_iter().filter(|g| g.path.starts_with("completions/")).count();
        assert_eq!(scripts, Shell::value_variants().len());
    }
}
