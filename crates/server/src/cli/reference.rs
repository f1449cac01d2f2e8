//! Keeps `docs/configuration.md` true: its tables are made of the command line's own definitions.

use std::{fmt::Write, fs, path::Path};

use clap::{Arg, CommandFactory};

use super::Cli;
use crate::config::Config;

const BEGIN: &str = "<!-- From here";
const END: &str = "<!-- end -->";
/// The heading of options that are keys outside of any section.
const TOP: &str = "Configuration";

/// The part of the help before a bracket, and what the bracket says.
fn bracket(help: &str, name: &str) -> Option<String> {
    let (_, rest) = help.split_once(&format!("[{name}: "))?;
    rest.split_once(']').map(|(value, _)| value.to_owned())
}

fn row(arg: &Arg, section: Option<&str>) -> String {
    let flag = arg.get_long().unwrap();
    let help = arg.get_help().unwrap().to_string();
    let default = bracket(&help, "default").unwrap_or_default();
    let default = if default.is_empty() || section.is_none() {
        default
    } else {
        format!("`{default}`")
    };
    let variables = bracket(&help, "env").unwrap();
    let variables: Vec<_> = variables.split(" or ").collect();
    let text = help.split(" [").next().unwrap_or_default();
    let values: Vec<_> = arg.get_possible_values();
    let values: Vec<_> = values
        .iter()
        .map(|value| format!(" `{}`: {}.", value.get_name(), value.get_help().unwrap()))
        .collect();
    let variables = variables.join("`, `");
    let values = values.concat().replace("..", ".");
    format!("| `--{flag}` | `{variables}` | {default} | {text}{values} |")
}

/// The tables of every option, by heading, in the order of the help.
fn tables() -> String {
    let cli = Cli::command();
    let serve = cli.find_subcommand("serve").unwrap();
    let defaults: toml::Table = Config::defaults()
        .unwrap()
        .to_toml()
        .unwrap()
        .parse()
        .unwrap();
    let mut text = String::new();
    let mut heading = "";
    for arg in serve.get_arguments() {
        let Some(of) = arg.get_help_heading() else {
            continue;
        };
        let section = (of != TOP).then(|| of.split(' ').next().unwrap().to_lowercase());
        if of != heading {
            let title = match &section {
                Some(section) => format!("{of}: `[{section}]`"),
                None => "Files".to_owned(),
            };
            write!(text, "\n## {title}\n\n").unwrap();
            text.push_str("| flag | variable | default | |\n|---|---|---|---|\n");
            heading = of;
        }
        if let Some(section) = &section {
            // The page promises that a key is its flag with underscores.
            let key = arg.get_long().unwrap().replace('-', "_");
            assert!(defaults[section].get(&key).is_some(), "{section}.{key}");
        }
        writeln!(text, "{}", row(arg, section.as_deref())).unwrap();
    }
    text
}

#[test]
fn the_reference_of_options_is_complete_and_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/configuration.md");
    let page = fs::read_to_string(&path).unwrap();
    let (head, rest) = page.split_once(BEGIN).unwrap();
    let (mark, rest) = rest.split_once('\n').unwrap();
    let (shown, tail) = rest.split_once(END).unwrap();
    let intro =
        "\nThe key in the file is the flag's name with `_` for `-`, in the section named.\n";
    let expected = format!("{intro}{}\n", tables());
    if std::env::var_os("CELLBLOCK_UPDATE_DOCS").is_some() {
        fs::write(&path, format!("{head}{BEGIN}{mark}\n{expected}{END}{tail}")).unwrap();
        return;
    }
    assert!(
        shown == expected,
        "docs/configuration.md is not what the options are: renew it with \
         CELLBLOCK_UPDATE_DOCS=1 cargo test -p cellblock reference"
    );
}
