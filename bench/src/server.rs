//! A running server: started, awaited, and put away.

use std::{
    env,
    ffi::OsString,
    fs::{self, File},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use bytes::Bytes;
use hyper::Method;
use rustix::process::{Pid, Signal, kill_process};

use crate::{client, group::Group};

const START: Duration = Duration::from_mins(2);
const STOP: Duration = Duration::from_secs(40);
/// A full queue is no matter here: whoever waits may wait long.
const PATIENCE: (&str, &str) = ("CELLBLOCK_QUEUE_TIMEOUT_MS", "120000");

/// What to start. The rest of the configuration is read from this process' environment, by the
/// server itself.
#[derive(Debug, Clone)]
pub struct Setup {
    program: PathBuf,
    logs: PathBuf,
    name: String,
    variables: Vec<(OsString, OsString)>,
    grouped: Option<bool>,
}

/// A running server, ended when dropped.
#[derive(Debug)]
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    /// From before its start to the first 200 from `/health`.
    pub ready_after: Duration,
    /// The groups around it, if they could be made.
    pub group: Option<Group>,
    child: Child,
    log: PathBuf,
}

impl Setup {
    /// The program beside this one, with an engine; its log goes to `logs`/`name`.log.
    pub fn new(engine: &str, name: &str, logs: &Path) -> Result<Self> {
        let setup = Self {
            program: program()?,
            logs: logs.to_owned(),
            name: name.to_owned(),
            variables: Vec::new(),
            grouped: None,
        };
        Ok(setup
            .with("CELLBLOCK_ENGINE", engine)
            .with(PATIENCE.0, PATIENCE.1))
    }

    /// Sets a variable of the server's environment.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.into(), value.into()));
        self
    }

    /// Starts another build of the program.
    #[must_use]
    pub fn program(mut self, program: &Path) -> Self {
        program.clone_into(&mut self.program);
        self
    }

    /// Puts groups around the server, one of memory among them if that is asked for.
    #[must_use]
    pub fn grouped(mut self, with_memory: bool) -> Self {
        self.grouped = Some(with_memory);
        self
    }

    /// Starts it and waits until it is ready.
    pub fn start(&self) -> Result<Server> {
        let group = self
            .grouped
            .and_then(|memory| Group::make(&self.name, memory));
        let log = self.logs.join(format!("{}.log", self.name));
        let output =
            File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
        let address = free_address()?;
        let mut command = Group::around(group.as_ref(), &self.program);
        command.arg("serve").stdin(Stdio::null());
        command.stdout(output.try_clone()?).stderr(output);
        command
            .env("HOST", "127.0.0.1")
            .env("PORT", address.port().to_string());
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        let started = Instant::now();
        let child = command.spawn().context("cannot start cellblock")?;
        let mut server = Server {
            address,
            ready_after: Duration::ZERO,
            group,
            child,
            log,
        };
        server.await_health(started)?;
        Ok(server)
    }
}

impl Server {
    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// All that it has logged.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// What it logged as a fault of its own: the first few.
    pub fn faults(&self) -> Vec<String> {
        let log = self.log();
        let is_fault = |line: &&str| line.contains(" ERROR ") || line.contains("panicked");
        log.lines()
            .filter(is_fault)
            .take(10)
            .map(str::to_owned)
            .collect()
    }

    /// Ends it by SIGTERM, which has to succeed.
    pub fn stop(mut self) -> Result<()> {
        let pid = i32::try_from(self.pid()).ok().and_then(Pid::from_raw);
        kill_process(pid.context("a process id")?, Signal::TERM)?;
        let asked = Instant::now();
        while asked.elapsed() < STOP {
            if let Some(status) = self.child.try_wait()? {
                ensure!(
                    status.success(),
                    "the server ended with {status}: {}",
                    self.tail()
                );
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        bail!(
            "the server did not end within {STOP:?} of SIGTERM: {}",
            self.tail()
        );
    }

    fn await_health(&mut self, started: Instant) -> Result<()> {
        // The port is open before the engine is ready; a request waits until then.
        while TcpStream::connect(self.address).is_err() {
            if let Some(status) = self.child.try_wait()? {
                bail!("the server ended with {status}: {}", self.tail());
            }
            ensure!(
                started.elapsed() < START,
                "the server does not listen: {}",
                self.tail()
            );
            std::thread::sleep(Duration::from_micros(500));
        }
        while !self.is_healthy()? {
            ensure!(
                started.elapsed() < START,
                "the server is not ready: {}",
                self.tail()
            );
            std::thread::sleep(Duration::from_millis(1));
        }
        self.ready_after = started.elapsed();
        Ok(())
    }

    fn is_healthy(&mut self) -> Result<bool> {
        match client::once(self.address, Method::GET, "/health", Bytes::new()) {
            Ok((exchange, _)) => Ok(exchange.status == 200),
            Err(error) => match self.child.try_wait()? {
                Some(status) => bail!("the server ended with {status}: {}", self.tail()),
                None => Err(error),
            },
        }
    }

    fn tail(&self) -> String {
        let log = self.log();
        let lines: Vec<_> = log.lines().rev().take(5).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join("\n")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Gone already where it was stopped.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The built server: beside this program.
pub fn program() -> Result<PathBuf> {
    // Without them, environments would be built where a server on this machine keeps its own.
    for name in ["CELLBLOCK_STATE_DIR", "CELLBLOCK_NSJAIL"] {
        ensure!(
            env::var_os(name).is_some(),
            "{name} is not set: run `make bench` or `make soak`"
        );
    }
    let path = env::current_exe()?.with_file_name("cellblock");
    ensure!(
        path.is_file(),
        "no cellblock at {}: run `make bench`",
        path.display()
    );
    Ok(path)
}

/// The root tree of the default environment, built if it is not there.
pub fn environment_root() -> Result<PathBuf> {
    let built = Command::new(program()?)
        .args(["env", "build", "default"])
        .output()?;
    let text = String::from_utf8_lossy(&built.stdout);
    let root = text
        .rsplit_once(", in ")
        .map(|(_, path)| PathBuf::from(path.trim()));
    root.filter(|_| built.status.success()).with_context(|| {
        format!(
            "no default environment: {text}{}",
            String::from_utf8_lossy(&built.stderr)
        )
    })
}

fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}
