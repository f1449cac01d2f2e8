//! A running server: configured, started, awaited, and put away.

use std::{
    collections::BTreeMap,
    fmt::{Display, Write as _},
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::process::children;
use crate::{Client, Engine, Program, Report, confined, eventually, quoted, setting};

/// A zygote imports pandas first, on a machine that may be busy.
const START: Duration = Duration::from_mins(2);
/// A server without work ends at once.
const STOP: Duration = Duration::from_secs(30);

/// How to configure a server.
#[derive(Debug, Clone)]
pub struct Setup {
    engine: Engine,
    python: PathBuf,
    settings: BTreeMap<(String, String), String>,
    environments: Vec<String>,
    variables: Vec<(String, String)>,
    wrapper: Vec<String>,
    confined: bool,
}

impl Setup {
    /// A server with this engine and this interpreter, and small pools.
    pub fn new(engine: Engine, python: &Path) -> Self {
        let python_text = quoted(python.to_str().expect("a path in UTF-8"));
        let path = |path: PathBuf| quoted(path.to_str().expect("a path in UTF-8"));
        Self {
            engine,
            python: python.to_owned(),
            settings: BTreeMap::new(),
            environments: vec!["default".to_owned()],
            variables: Vec::new(),
            wrapper: Vec::new(),
            confined: false,
        }
        .set("", "state_dir", path(setting::state_dir()))
        .set("server", "host", "\"127.0.0.1\"")
        .set("server", "port", 0)
        .set("server", "log_format", "\"json\"")
        .set("isolation", "engine", quoted(&engine.to_string()))
        .set("isolation", "nsjail", path(setting::nsjail()))
        .set("pool", "warm_cells", 2)
        .stretched()
        .set("environments.default", "interpreter", python_text)
    }

    /// On a slow machine limits of time are as long as they have to be for the same work.
    fn stretched(self) -> Self {
        match u64::from(setting::slowness()) {
            1 => self,
            slowness => self
                .set("limits", "default_timeout_ms", 10_000 * slowness)
                .set("limits", "max_timeout_ms", 60_000 * slowness)
                .set("pool", "queue_timeout_ms", 10_000 * slowness),
        }
    }

    /// Sets a key of the configuration file to a value in TOML.
    #[must_use]
    pub fn set(mut self, section: &str, key: &str, value: impl Display) -> Self {
        let place = (section.to_owned(), key.to_owned());
        self.settings.insert(place, value.to_string());
        self
    }

    /// Sets a variable of the server's environment.
    #[must_use]
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Adds an environment named `plain`: the interpreter alone, and nothing restricted.
    #[must_use]
    pub fn with_plain(mut self) -> Self {
        let python = quoted(self.python.to_str().expect("a path in UTF-8"));
        self.environments.push("plain".to_owned());
        self.set("environments.plain", "interpreter", python)
            .set("environments.plain", "requirements", "\"none\"")
            .set("environments.plain", "restricted", "[]")
    }

    /// Starts the server by this command, which takes the server's own as further arguments.
    #[must_use]
    pub fn started_by(mut self, command: &[&str]) -> Self {
        self.wrapper = command.iter().map(|&word| word.to_owned()).collect();
        self
    }

    /// Starts the server where no namespaces can be made, by an ordinary user. Its temporary files go
    /// to a directory of its own.
    #[must_use]
    pub fn without_namespaces(mut self) -> Self {
        self.confined = true;
        self
    }

    /// The engine.
    pub fn engine(&self) -> Engine {
        self.engine
    }

    /// Writes the configuration and builds its environments; the directory that holds
    /// `cellblock.toml`.
    pub fn prepare(&self) -> TempDir {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let config = directory.path().join("cellblock.toml");
        fs::write(&config, self.toml()).expect("written");
        for name in &self.environments {
            Program::find().build_environment(name, &config);
        }
        directory
    }

    /// Starts it and waits until it is ready.
    pub fn start(&self) -> Server {
        self.try_start()
            .unwrap_or_else(|problem| panic!("{problem}"))
    }

    /// Starts it, and says what it logged where it does not become ready.
    pub fn try_start(&self) -> Result<Server, String> {
        let directory = self.prepare();
        let config = directory.path().join("cellblock.toml");
        let log = directory.path().join("log");
        let output = File::create(&log).expect("created");
        let config = config.to_str().expect("a path in UTF-8");
        let mut command = Program::find().command_by(&self.wrapper, &["serve", "--config", config]);
        command
            .current_dir(directory.path())
            .envs(self.variables.clone())
            .stdout(output.try_clone().expect("cloned"))
            .stderr(output)
            .stdin(Stdio::null());
        let child = if self.confined {
            // The interpreter that it was built from may be below a closed home.
            let state = directory.path().join("state");
            let built = self
                .clone()
                .set("", "state_dir", quoted(&state.display().to_string()))
                .set("environments.default", "interpreter", "\"as-built\"");
            fs::write(config, built.toml()).expect("written");
            confined::open(directory.path(), &self.python).expect("directories");
            command.env("TMPDIR", directory.path().join("tmp"));
            confined::spawn(command)
        } else {
            command.spawn()
        };
        let child = child.expect("cellblock starts");
        let client = Client::new(String::new());
        let mut server = Server {
            child,
            client,
            log,
            ended: false,
            directory,
        };
        server.wait_until_ready().map(|()| server)
    }

    fn toml(&self) -> String {
        let mut text = String::new();
        let mut section = "";
        // Sorted, so the keys without a section come first, as they have to.
        for ((place, key), value) in &self.settings {
            if place != section {
                section = place;
                writeln!(text, "[{section}]").expect("written");
            }
            writeln!(text, "{key} = {value}").expect("written");
        }
        text
    }
}

/// A running server, killed when dropped.
#[derive(Debug)]
pub struct Server {
    child: Child,
    client: Client,
    log: PathBuf,
    ended: bool,
    directory: TempDir,
}

impl Server {
    /// A client of it.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// All that it has logged.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).expect("a log")).into_owned()
    }

    /// Where it has its temporary files, if it was started without namespaces.
    pub fn scratch(&self) -> PathBuf {
        self.directory.path().join("tmp")
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The interpreters in its walls, each pid 1 of its wall: the only children of its nsjails.
    pub fn zygotes(&self) -> Vec<u32> {
        let nsjails = children(self.id());
        nsjails.into_iter().flat_map(children).collect()
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        kill_process(id.expect("a process id"), signal).expect("signalled");
    }

    /// Waits for its end.
    pub fn wait(&mut self, patience: Duration) -> Option<ExitStatus> {
        let mut status = None;
        eventually(patience, || {
            status = self.child.try_wait().expect("it is our child");
            status.is_some()
        });
        self.ended = status.is_some();
        status
    }

    /// Stops it, and reports where it did not go in peace or logged a fault of its own.
    pub fn stop(mut self, report: &mut Report) {
        self.signal(Signal::TERM);
        let status = self.wait(STOP);
        let code = status.and_then(|status| status.code());
        report.check(
            "shutdown",
            code == Some(0),
            format!("ended with {status:?}"),
        );
        let log = self.log();
        let faults = log
            .lines()
            .filter(|line| line.contains("panicked") || line.contains("\"ERROR\""));
        let faults: Vec<_> = faults.collect();
        report.check(
            "log",
            faults.is_empty(),
            format!("holds faults:\n{}", faults.join("\n")),
        );
    }

    fn wait_until_ready(&mut self) -> Result<(), String> {
        let (started, start) = (Instant::now(), setting::stretched(START));
        while started.elapsed() < start {
            if let Some(status) = self.child.try_wait().expect("it is our child") {
                self.ended = true;
                return Err(format!("the server ended with {status}:\n{}", self.log()));
            }
            if self.client.address().is_empty() {
                if let Some(address) = address(&self.log()) {
                    self.client = Client::new(address);
                }
            } else if let Ok(answer) = self.client.try_send("GET", "/health", &[], b"")
                && answer.status == 200
            {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let log = self.log();
        Err(format!("the server was not ready within {start:?}:\n{log}"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if !self.ended {
            // It may have ended just now.
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// The address that the log names, as it is reached from here.
fn address(log: &str) -> Option<String> {
    let split = |host| log.split_once(host);
    let (_, rest) = split("http://127.0.0.1:").or_else(|| split("http://0.0.0.0:"))?;
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    // A line that is still being written has no end yet.
    (digits > 0 && digits < rest.len()).then(|| format!("127.0.0.1:{}", &rest[..digits]))
}
