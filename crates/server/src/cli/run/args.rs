//! What `cellblock run` takes, and the request that it makes of it.

use std::{
    collections::BTreeMap,
    io::Read,
    path::{Path, PathBuf},
};

use clap::Args;
use serde_json::value::RawValue;

use super::{CliError, files};
use crate::{
    config::{Config, ConfigArgs, ConfigError},
    execution::{Draft, InvalidRequest, LimitsDraft, ModeDraft, draft::Whole},
};

const ABOUT: &str = "Standard output gets what the script printed and then, as its last line, what \
    main() returned, as JSON (in mode script, the value of its last expression). Standard error gets what the script wrote there and then, where it \
    failed, why. With --json, standard output gets nothing but the full record of \
    POST /v1/executions in one line.\n\n\
    Exit codes: 0 main() returned JSON; 1 the script failed; 2 wrong usage, configuration or \
    request; 3 no room or our fault.";

/// What `cellblock run` takes.
#[derive(Debug, Args)]
#[command(after_help = ABOUT)]
pub(in crate::cli) struct RunArgs {
    /// The script, or - for standard input.
    script: PathBuf,
    /// JSON that main gets where it takes an argument; @FILE reads it from a file.
    #[arg(long, value_name = "JSON|@FILE", allow_hyphen_values = true)]
    input: Option<String>,
    /// An argument for main by its name; VALUE is JSON, or else text. May be given several times.
    #[arg(long, value_name = "NAME=VALUE", value_parser = name_and_value)]
    arg: Vec<(String, String)>,
    /// How the script is run. [default: main]
    #[arg(long, value_enum)]
    mode: Option<ModeDraft>,
    /// Text that the script reads from its standard input; @FILE reads it from a file.
    #[arg(long, value_name = "TEXT|@FILE", allow_hyphen_values = true)]
    stdin: Option<String>,
    /// Wall clock in seconds, such as 2.5. [default: see --default-timeout-ms]
    #[arg(long, value_name = "SECONDS", value_parser = milliseconds)]
    timeout: Option<u64>,
    /// Memory in MiB that the run may add. [default: see --default-memory-mb]
    #[arg(long, value_name = "MIB")]
    memory: Option<u64>,
    /// CPU time in seconds over all its processes. [default: the wall clock's limit]
    #[arg(long, value_name = "SECONDS", value_parser = milliseconds)]
    cpu: Option<u64>,
    /// A file to lay below the script's /tmp, under PATH or its own name; may be given several times.
    #[arg(long, value_name = "[PATH=]FILE", value_parser = file)]
    file: Vec<(String, PathBuf)>,
    /// A glob of files below the script's /tmp to return; may be given several times.
    #[arg(long, value_name = "GLOB")]
    output_file: Vec<String>,
    /// Directory to put returned files in, over what is there; without it only --json shows them.
    #[arg(long, value_name = "DIR", requires = "output_file")]
    pub(super) output_dir: Option<PathBuf>,
    /// A variable for the script's environment; may be given several times.
    #[arg(long, value_name = "NAME=VALUE", value_parser = name_and_value)]
    env: Vec<(String, String)>,
    /// Name of a configured environment. [default: default]
    #[arg(long, value_name = "NAME")]
    environment: Option<String>,
    /// Print the full record as JSON.
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    config: ConfigArgs,
}

impl RunArgs {
    /// The configuration, which logs warnings only where nothing else was said.
    pub(super) fn load_config(&self) -> Result<Config, ConfigError> {
        let mut config = self.config.load()?;
        if config.server.log == crate::config::ServerConfig::default().log {
            "warn".clone_into(&mut config.server.log);
        }
        Ok(config)
    }

    /// Reads the files and puts the request together.
    pub(super) fn into_draft(self) -> Result<Draft, CliError> {
        Ok(Draft {
            script: read_script(&self.script)?,
            mode: self.mode,
            input: self.input.map(|text| read_input(&text)).transpose()?,
            arguments: arguments(self.arg)?,
            stdin: self.stdin.map(text_or_file).transpose()?,
            env: Some(BTreeMap::from_iter(self.env)),
            files: Some(files::read(self.file)?),
            output_files: Some(self.output_file),
            limits: Some(LimitsDraft {
                timeout_ms: self.timeout.map(Whole),
                cpu_ms: self.cpu.map(Whole),
                memory_mb: self.memory.map(Whole),
            }),
            environment: self.environment,
        })
    }
}

fn read_script(path: &Path) -> Result<String, CliError> {
    if path.as_os_str() != "-" {
        return read(path);
    }
    let mut script = String::new();
    let read = std::io::stdin().read_to_string(&mut script);
    read.map_err(|source| CliError::Read {
        path: "standard input".into(),
        source,
    })?;
    Ok(script)
}

fn read_input(text: &str) -> Result<Box<RawValue>, CliError> {
    let json = text_or_file(text.to_owned())?;
    RawValue::from_string(json.trim().to_owned())
        .map_err(|error| InvalidRequest::field("input", format!("not JSON: {error}")).into())
}

/// An object of these, in the order given; nothing where there are none.
fn arguments(given: Vec<(String, String)>) -> Result<Option<Box<RawValue>>, CliError> {
    if given.is_empty() {
        return Ok(None);
    }
    let mut entries = Vec::new();
    for (name, value) in given {
        let is_json = serde_json::from_str::<&RawValue>(&value).is_ok();
        let value = if is_json { value } else { quoted(&value)? };
        entries.push(format!("{}:{value}", quoted(&name)?));
    }
    let object = RawValue::from_string(format!("{{{}}}", entries.join(",")));
    object.map(Some).map_err(|error| bad_argument(&error))
}

fn quoted(text: &str) -> Result<String, CliError> {
    serde_json::to_string(text).map_err(|error| bad_argument(&error))
}

fn bad_argument(error: &serde_json::Error) -> CliError {
    InvalidRequest::field("arguments", error.to_string()).into()
}

fn text_or_file(text: String) -> Result<String, CliError> {
    match text.strip_prefix('@') {
        Some(path) => read(Path::new(path)),
        None => Ok(text),
    }
}

fn read(path: &Path) -> Result<String, CliError> {
    std::fs::read_to_string(path).map_err(|source| CliError::Read {
        path: path.to_owned(),
        source,
    })
}

fn milliseconds(seconds: &str) -> Result<u64, String> {
    let time = seconds
        .parse()
        .ok()
        .and_then(|seconds| std::time::Duration::try_from_secs_f64(seconds).ok());
    let time = time.ok_or("write seconds, such as 10 or 2.5")?;
    u64::try_from(time.as_millis()).map_err(|error| error.to_string())
}

fn file(text: &str) -> Result<(String, PathBuf), String> {
    if let Some((path, file)) = text.split_once('=') {
        return Ok((path.to_owned(), file.into()));
    }
    match Path::new(text).file_name().and_then(|name| name.to_str()) {
        Some(name) => Ok((name.to_owned(), text.into())),
        None => Err("write FILE, or PATH=FILE".to_owned()),
    }
}

fn name_and_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) => Ok((name.to_owned(), value.to_owned())),
        None => Err("write NAME=VALUE".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        run: RunArgs,
    }

    fn draft(line: &[&str]) -> Result<Draft, CliError> {
        let directory = tempfile::tempdir().unwrap();
        let script = directory.path().join("script.py");
        std::fs::write(&script, "def main(): pass").unwrap();
        let line = ["cellblock", script.to_str().unwrap()]
            .into_iter()
            .chain(line.iter().copied());
        Line::try_parse_from(line).unwrap().run.into_draft()
    }

    #[test]
    fn flags_become_a_request() {
        let draft = draft(&[
            "--input",
            "{\"n\": 123456789012345678901234567890}",
            "--stdin=-x",
            "--timeout=2.5",
            "--memory=64",
            "--env=A=b=c",
            "--environment=bare",
        ])
        .unwrap();
        assert_eq!(draft.script, "def main(): pass");
        let input = draft.input.unwrap();
        assert_eq!(input.get(), "{\"n\": 123456789012345678901234567890}");
        assert_eq!(draft.stdin.as_deref(), Some("-x"));
        assert_eq!(draft.env.unwrap()["A"], "b=c");
        assert_eq!(draft.environment.as_deref(), Some("bare"));
        let limits = draft.limits.unwrap();
        assert_eq!(limits.timeout_ms, Some(Whole(2500)));
        assert_eq!(limits.memory_mb, Some(Whole(64)));
    }

    #[test]
    fn arguments_are_json_or_text() {
        let draft = draft(&[
            "--arg=n=-1.50",
            "--arg",
            "s=a=\"b\"",
            "--arg=list=[1, \"x\"]",
            "--arg=none=null",
            "--arg=empty=",
            "--mode=main",
        ])
        .unwrap();
        assert_eq!(
            draft.arguments.unwrap().get(),
            r#"{"n":-1.50,"s":"a=\"b\"","list":[1, "x"],"none":null,"empty":""}"#
        );
        assert_eq!(draft.mode, Some(ModeDraft::Main));
        assert!(draft.input.is_none());
    }

    #[test]
    fn files_are_laid_under_their_names() {
        assert_eq!(file("a/b.csv"), Ok(("b.csv".to_owned(), "a/b.csv".into())));
        assert_eq!(file("x/y=a/b"), Ok(("x/y".to_owned(), "a/b".into())));
        assert!(file("..").is_err());
    }

    #[test]
    fn mistakes_read_well() {
        let error = draft(&["--input", "{"]).unwrap_err().to_string();
        assert!(error.starts_with("input: not JSON: EOF"), "{error}");
        let error = draft(&["--stdin", "@/nonexistent"]).unwrap_err();
        assert!(error.to_string().starts_with("/nonexistent: No such file"));
        assert_eq!(milliseconds("-1"), milliseconds("soon"));
        assert!(milliseconds("1e300").is_err());
    }
}
