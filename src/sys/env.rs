//! The environment, read once at the start and passed in afterwards.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// What aosctl takes from the environment. It holds no secret: none is ever passed that way (law 7).
/// A variable that is set to nothing counts as not set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Env {
    /// `AOSCTL_WORKSPACE`: the workspace directory, unless `--workspace` names one.
    pub workspace: Option<PathBuf>,
    /// `AOSCTL_STATE_DIR`: where the log identity and the unattended vault key live.
    pub state_dir: Option<PathBuf>,
    /// `AOSCTL_IDENTITY`: an identity file, unless `--identity` names one.
    pub identity: Option<PathBuf>,
    /// `NO_COLOR` is set to something (<https://no-color.org>).
    pub no_color: bool,
    /// `TERM`.
    pub term: Option<String>,
    /// `COLUMNS`, where it is a number from 20 to 1000.
    pub columns: Option<u16>,
    /// `AOSCTL_PAGER`, else `PAGER`; set to nothing it means "no pager", so this one keeps an empty text.
    pub pager: Option<String>,
    /// `HOME`.
    pub home: Option<PathBuf>,
    /// The user's data directory for aosctl by the rules of the system (XDG: `~/.local/share/aosctl`).
    pub default_data_dir: Option<PathBuf>,
    /// The user's state directory for aosctl by the rules of the system (XDG: `~/.local/state/aosctl`).
    pub default_state_dir: Option<PathBuf>,
}

/// The variables of this process whose names are asked for and set, for a child that may have them; in the order of the
/// names. What is named like one of aosctl's own is never given on.
pub fn for_child<'a>(names: impl IntoIterator<Item = &'a str>) -> std::collections::BTreeMap<String, OsString> {
    let own = |name: &str| name.starts_with("AOSCTL");
    names
        .into_iter()
        .filter(|name| !own(name))
        .filter_map(|name| std::env::var_os(name).map(|value| (name.to_string(), value)))
        .collect()
}

/// The names of the variables of this process that begin so, for [`for_child`].
pub fn names_beginning(prefix: &str) -> Vec<String> {
    std::env::vars_os().filter_map(|(name, _)| name.into_string().ok()).filter(|n| n.starts_with(prefix)).collect()
}

/// The directory that this process is in, without symbolic links.
///
/// # Errors
/// [`super::SysError::Io`] if it was removed or cannot be read.
pub fn current_dir() -> Result<PathBuf, super::SysError> {
    let here = Path::new(".");
    std::env::current_dir().and_then(|dir| dir.canonicalize()).map_err(super::SysError::io("find the directory", here))
}

impl Env {
    /// Reads the environment of this process.
    pub fn capture() -> Self {
        let mut env = Self::from_vars(|name| std::env::var_os(name));
        if let Some(dirs) = directories::ProjectDirs::from("", "", "aosctl") {
            env.default_data_dir = Some(dirs.data_dir().to_path_buf());
            // Systems without a state directory of their own (macOS) keep it beside the data.
            env.default_state_dir =
                Some(dirs.state_dir().map_or_else(|| dirs.data_local_dir().join("state"), Path::to_path_buf));
        }
        env
    }

    fn from_vars(var: impl Fn(&str) -> Option<OsString>) -> Self {
        let set = |name| var(name).filter(|value| !value.is_empty());
        let text = |name| var(name).and_then(|value| value.into_string().ok());
        Self {
            workspace: set("AOSCTL_WORKSPACE").map(PathBuf::from),
            state_dir: set("AOSCTL_STATE_DIR").map(PathBuf::from),
            identity: set("AOSCTL_IDENTITY").map(PathBuf::from),
            no_color: set("NO_COLOR").is_some(),
            term: text("TERM").filter(|term| !term.is_empty()),
            columns: text("COLUMNS").and_then(|n| n.parse().ok()).filter(|n| (20..=1000).contains(n)),
            pager: text("AOSCTL_PAGER").or_else(|| text("PAGER")),
            home: set("HOME").map(PathBuf::from),
            default_data_dir: None,
            default_state_dir: None,
        }
    }

    /// The state directory: the override, else the system's; `None` for a user without a home.
    pub fn state_dir(&self) -> Option<&Path> {
        self.state_dir.as_deref().or(self.default_state_dir.as_deref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(vars: &[(&str, &str)]) -> Env {
        Env::from_vars(|name| vars.iter().find(|(n, _)| *n == name).map(|(_, v)| OsString::from(v)))
    }

    #[test]
    fn empty_means_unset_except_for_the_pager() {
        let empty = ["AOSCTL_WORKSPACE", "AOSCTL_STATE_DIR", "AOSCTL_IDENTITY", "NO_COLOR", "TERM", "COLUMNS"];
        let vars: Vec<_> = empty.iter().map(|name| (*name, "")).collect();
        assert_eq!(env(&vars), Env::default());
        assert_eq!(env(&[("AOSCTL_PAGER", ""), ("PAGER", "more")]).pager.as_deref(), Some(""));
        assert_eq!(env(&[("PAGER", "more")]).pager.as_deref(), Some("more"));
    }

    #[test]
    fn absurd_columns_are_ignored() {
        for (text, columns) in [("120", Some(120)), ("19", None), ("1001", None), ("-1", None), ("x", None)] {
            assert_eq!(env(&[("COLUMNS", text)]).columns, columns, "{text}");
        }
    }

    #[test]
    fn the_override_wins() {
        let mut env = env(&[("AOSCTL_STATE_DIR", "here"), ("AOSCTL_WORKSPACE", "ws"), ("NO_COLOR", "1")]);
        env.default_state_dir = Some("there".into());
        assert_eq!(env.state_dir(), Some(Path::new("here")));
        assert_eq!(env.workspace.as_deref(), Some(Path::new("ws")));
        assert!(env.no_color);
        env.state_dir = None;
        assert_eq!(env.state_dir(), Some(Path::new("there")));
    }

    #[test]
    fn a_child_gets_what_is_named_and_set() {
        let given = for_child(["PATH", "AOSCTL_IDENTITY", "NO_SUCH_VARIABLE_HERE"]);
        assert_eq!(given.into_keys().collect::<Vec<_>>(), ["PATH"]);
        assert!(current_dir().unwrap().is_absolute());
    }

    #[test]
    fn the_real_environment_can_be_read() {
        let env = Env::capture();
        if env.home.is_some() {
            assert!(env.default_data_dir.is_some_and(|dir| dir.ends_with("aosctl")));
            assert!(env.default_state_dir.is_some());
        }
    }
}
