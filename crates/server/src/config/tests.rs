//! Precedence, and the sentence that each mistake gets.

use std::{ffi::OsString, path::Path};

use clap::Parser;

use super::*;

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    config: ConfigArgs,
}

/// Loads with these flags, variables and file; the file is `cellblock.toml` in a new directory.
fn load(flags: &[&str], vars: &[(&str, &str)], file: Option<&str>) -> Result<Config, ConfigError> {
    let directory = tempfile::tempdir().unwrap();
    if let Some(text) = file {
        std::fs::write(directory.path().join("cellblock.toml"), text).unwrap();
    }
    load_in(flags, vars, directory.path())
}

fn load_in(flags: &[&str], vars: &[(&str, &str)], dir: &Path) -> Result<Config, ConfigError> {
    let line = Line::try_parse_from(std::iter::once(&"cellblock").chain(flags)).unwrap();
    let lookup = |name: &str| {
        let found = vars.iter().find(|(key, _)| *key == name);
        found.map(|(_, value)| OsString::from(value))
    };
    line.config.load_with(&lookup, dir)
}

/// The error's text, with the file named `cellblock.toml` only.
fn problem(flags: &[&str], vars: &[(&str, &str)], file: Option<&str>) -> String {
    let text = load(flags, vars, file).unwrap_err().to_string();
    assert_eq!(text.lines().count(), 1, "{text}");
    match text.find("cellblock.toml") {
        Some(at) => text[at..].to_owned(),
        None => text,
    }
}

#[test]
fn defaults_are_the_contracts() {
    let config = Config::defaults().unwrap();
    assert_eq!(config.server.host, "127.0.0.1");
    assert_eq!(config.server.port, 8080);
    assert_eq!(config.limits.default_timeout_ms, 10_000);
    assert_eq!(config.limits.max_timeout_ms, 60_000);
    assert_eq!(config.limits.default_memory_mb, 256);
    assert_eq!(config.limits.max_memory_mb, 1024);
    let default = &config.environments["default"];
    assert_eq!(default.preload, ["numpy", "pandas"]);
    assert_eq!(default.requirements, Requirements::Builtin);
    assert!(default.restricted.iter().any(|name| name == "subprocess"));
    assert_eq!(config.environments.len(), 1);
}

#[test]
fn flags_win_over_variables_over_the_file_over_defaults() {
    let file = Some("[server]\nport = 1\nhost = 'file'\n[limits]\nprocesses = 7");
    let port =
        |flags: &[&str], vars: &[(&str, &str)], file| load(flags, vars, file).unwrap().server.port;
    let all = [("CELLBLOCK_PORT", "2"), ("PORT", "3")];
    assert_eq!(port(&["--port", "4"], &all, file), 4);
    assert_eq!(port(&[], &all, file), 2);
    assert_eq!(port(&[], &all[1..], file), 3);
    assert_eq!(port(&[], &[("PORT", "")], file), 1);
    assert_eq!(port(&[], &[], None), 8080);
    let config = load(&[], &[("HOST", "variable")], file).unwrap();
    assert_eq!(config.server.host, "variable");
    assert_eq!(config.limits.processes, 7);
    assert_eq!(config.environments["default"].limits.processes, 7);
}

#[test]
fn a_file_can_be_named_and_then_has_to_be_there() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("other.toml");
    std::fs::write(&path, "[server]\nport = 5").unwrap();
    let path = path.to_str().unwrap();
    let nowhere = Path::new("/nonexistent");
    let port = |flags: &[&str], vars: &[(&str, &str)]| {
        load_in(flags, vars, nowhere).map(|config| config.server.port)
    };
    assert_eq!(port(&["--config", path], &[]).unwrap(), 5);
    assert_eq!(port(&[], &[("CELLBLOCK_CONFIG", path)]).unwrap(), 5);
    assert!(matches!(
        port(&["--config", "/nonexistent/c.toml"], &[]),
        Err(ConfigError::Read { .. })
    ));
}

#[test]
fn environments_build_on_defaults() {
    let file = "
        state_dir = 'state'
        [limits]
        max_memory_mb = 2048
        [environments.default]
        interpreter = './venv/bin/python'
        [environments.bare]
        engine = 'cold'
        requirements = 'bare.txt'
        restricted = []
        limits = { max_timeout_ms = 20000 }
    ";
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("cellblock.toml"), file).unwrap();
    let config = load_in(&[], &[], directory.path()).unwrap();
    let (default, bare) = (
        &config.environments["default"],
        &config.environments["bare"],
    );
    assert_eq!(config.state_dir, directory.path().join("state"));
    assert_eq!(
        default.interpreter,
        directory.path().join("venv/bin/python")
    );
    assert_eq!(default.preload, ["numpy", "pandas"]);
    assert_eq!(bare.interpreter, Path::new("python3"));
    assert_eq!(bare.engine, EngineKind::Cold);
    assert_eq!(
        bare.requirements,
        Requirements::File(directory.path().join("bare.txt"))
    );
    assert_eq!((bare.preload.len(), bare.restricted.len()), (0, 0));
    assert_eq!(bare.limits.max_timeout_ms, 20_000);
    assert_eq!(bare.limits.max_memory_mb, 2048);
    let named = load_in(&[], &[("CELLBLOCK_PYTHON", "python3.13")], directory.path()).unwrap();
    assert_eq!(
        named.environments["default"].interpreter,
        Path::new("python3.13")
    );
}

#[test]
fn each_mistake_gets_a_line_that_names_it() {
    let file = |text| problem(&[], &[], Some(text));
    for (got, expected) in [
        (
            file("[server]\nprot = 1"),
            "cellblock.toml: server.prot: unknown field `prot`, expected one of `host`, `port`",
        ),
        (
            file("[server]\nport = 'x'"),
            "cellblock.toml: server.port: invalid type: string \"x\", expected a whole number from 0 to 65535",
        ),
        (
            file("[server]\nport = 70000"),
            "cellblock.toml: server.port: invalid value: integer `70000`, expected a whole number from 0 to 65535",
        ),
        (
            file("[limits]\nprocesses = 0"),
            "cellblock.toml: limits.processes: 0 is out of bounds; set it to 1 to 32768",
        ),
        (
            file("[isolation]\nengine = 'hot'"),
            "cellblock.toml: isolation.engine: unknown variant `hot`, expected `warm` or `cold`",
        ),
        (file("a = 1\n[server\n"), "cellblock.toml:2: not TOML: "),
        (
            file("[limits]\ndefault_timeout_ms = 70000"),
            "limits.default_timeout_ms: 70000 is above limits.max_timeout_ms, which is 60000; lower it or raise max_timeout_ms",
        ),
        (
            file("[environments.'a/b']\n"),
            "environments.\"a/b\": not a name for an environment",
        ),
        (
            file("[environments.a]\npreload = ['os; x']"),
            "environments.a.preload: \"os; x\" is no module name",
        ),
        (
            file("[telemetry]\notlp_endpoint = 'https://collector.example/v1/traces'"),
            "telemetry.otlp_endpoint: \"https://collector.example/v1/traces\" is no URL that begins with http://; for https,",
        ),
        (
            problem(&["--otlp-endpoint", "localhost:4318"], &[], None),
            "telemetry.otlp_endpoint: \"localhost:4318\" is no URL",
        ),
        (
            problem(&["--trace-percent", "101"], &[], None),
            "--trace-percent: 101 is out of bounds; set it to 0 to 100",
        ),
        (
            problem(&[], &[("PORT", "http")], None),
            "PORT: \"http\" does not fit; expected: Port to listen on; 0 takes a free one. From 0 to 65535.",
        ),
        (
            problem(&[], &[("CELLBLOCK_PROCESSES", "0")], None),
            "CELLBLOCK_PROCESSES: 0 is out of bounds; set it to 1 to 32768",
        ),
        (
            problem(&["--processes", "0"], &[], None),
            "--processes: 0 is out of bounds; set it to 1 to 32768",
        ),
    ] {
        assert!(got.starts_with(expected), "{got}");
    }
}

#[test]
fn keys_come_from_both_files_and_from_a_variable() {
    let key = |name: &str| {
        format!(
            "name = '{name}'\nsha256 = '{}'\n",
            format!("{:02x}", name.len()).repeat(32)
        )
    };
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, text: String| std::fs::write(directory.path().join(name), text);
    let config = format!("access.keys_file = 'k.toml'\n[[keys]]\n{}", key("a"));
    write("cellblock.toml", config).unwrap();
    write("k.toml", format!("[[keys]]\n{}", key("bb"))).unwrap();
    let names = |variable: &str| {
        let config = load_in(&[], &[("CELLBLOCK_KEYS", variable)], directory.path());
        let names = |config: Config| {
            config
                .keys
                .into_iter()
                .map(|key| key.name)
                .collect::<Vec<_>>()
        };
        config.map(names).map_err(|error| error.to_string())
    };
    let inline = format!("keys = [{{ {} }}]", key("ccc").trim().replace('\n', ", "));
    assert_eq!(names(&inline).unwrap(), ["a", "bb", "ccc"]);
    assert_eq!(names("").unwrap(), ["a", "bb"]);
    for (bad, problem) in [
        (
            "[[keys]]\nname = 'x'",
            "CELLBLOCK_KEYS: missing field `sha256`",
        ),
        ("[[key]]", "CELLBLOCK_KEYS: unknown field `key`"),
        ("x", "CELLBLOCK_KEYS: "),
    ] {
        let found = names(bad).unwrap_err();
        assert!(found.starts_with(problem), "{found}");
    }
}

#[test]
fn what_is_printed_is_read_back_the_same() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("cellblock.toml");
    std::fs::write(&path, "[environments.bare]\nengine = 'cold'").unwrap();
    let config = load_in(&["--port", "9"], &[], directory.path()).unwrap();
    std::fs::write(&path, config.to_toml().unwrap()).unwrap();
    assert_eq!(load_in(&[], &[], directory.path()).unwrap(), config);
}

#[test]
fn help_gives_default_bounds_and_variable() {
    let help = <Line as clap::CommandFactory>::command()
        .term_width(0)
        .render_long_help()
        .to_string();
    assert!(
        help.contains("Port to listen on; 0 takes a free one. From 0 to 65535. [default: 8080] [env: CELLBLOCK_PORT or PORT]"),
        "{help}"
    );
    assert!(help.contains("- cold: One nsjail"), "{help}");
}
