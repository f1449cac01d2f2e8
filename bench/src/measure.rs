//! The rounds: every system with every script, side by side, again and again, so that whatever else
//! the machine does hits all alike.

use std::{path::Path, time::Duration};

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use hyper::Method;
use serde::Serialize;

use crate::{
    bare::{self, Bare},
    client,
    group::Group,
    load::{self, Until},
    proc,
    profile::{CLIENTS, Profile},
    scripts::Script,
    server::{Server, Setup},
    stats::{float, millis, percentile},
};

const EXERCISE: &str = "crates/server/src/config/exercise.py";

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum System {
    /// A fork of an interpreter that has imported numpy and pandas, without isolation and HTTP.
    Bare,
    /// The same where the interpreter has also run the default environment's exercise.
    Exercised,
    /// The warm engine.
    Warm,
    /// The cold engine.
    Cold,
}

/// One place in the tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Point {
    /// The system.
    pub system: System,
    /// The script's name.
    pub script: &'static str,
    /// Clients; of bare forks, loops that fork.
    pub clients: usize,
}

/// What one window came to.
#[derive(Debug, Clone)]
pub struct Window {
    /// How long each run took, as its client saw it.
    pub latencies: Vec<Duration>,
    /// Completed in a second.
    pub runs_per_s: f64,
    /// CPU time per run in ms, of everything but the client; `None` where it was not counted.
    pub cpu_ms: Option<f64>,
}

/// The systems, running.
#[derive(Debug)]
pub struct Arena {
    bare: Vec<Bare>,
    exercised: Vec<Bare>,
    warm: Server,
    cold: Server,
    /// CPU time of bare forks until now, in seconds.
    bare_cpu: f64,
}

impl Arena {
    /// Starts all.
    pub fn start(root: &Path, logs: &Path, profile: Profile) -> Result<Self> {
        let exercised = if profile.exercised { 2 } else { 0 };
        Ok(Self {
            bare: (0..2)
                .map(|_| Bare::start(root, None))
                .collect::<Result<_>>()?,
            exercised: (0..exercised)
                .map(|_| Bare::start(root, Some(EXERCISE.into())))
                .collect::<Result<_>>()?,
            warm: Setup::new("warm", "warm", logs)?.grouped(false).start()?,
            cold: Setup::new("cold", "cold", logs)?.grouped(false).start()?,
            bare_cpu: 0.0,
        })
    }

    /// The points of a script, in an order in which those that are compared are neighbours.
    pub fn points(&self, script: &Script, profile: Profile) -> Vec<Point> {
        let mut points = Vec::new();
        for clients in CLIENTS {
            let systems = [
                (System::Bare, clients <= self.bare.len()),
                (System::Exercised, clients <= self.exercised.len()),
                (System::Warm, true),
                (System::Cold, profile.cold_clients.contains(&clients)),
            ];
            let measured = systems.into_iter().filter(|(_, measured)| *measured);
            let script = script.name;
            points.extend(measured.map(|(system, _)| Point {
                system,
                script,
                clients,
            }));
        }
        points
    }

    /// Runs a script once or more in each system, which has to answer as it should.
    pub fn rehearse(&mut self, script: &Script) -> Result<()> {
        for bare in self.bare.iter_mut().chain(&mut self.exercised) {
            bare.order(bare::Order {
                script: script.source,
                seconds: 0.0,
                runs: 5,
            })?;
            let answer = bare.report()?.answer;
            let right = script.is_answered_by(answer.as_bytes());
            ensure!(right, "{}: a fork answered {}", script.name, shown(&answer));
        }
        for server in [&self.warm, &self.cold] {
            answer(server, script)?;
        }
        Ok(())
    }

    /// Measures one point once.
    pub fn measure(&mut self, point: Point, script: &Script, profile: Profile) -> Result<Window> {
        match point.system {
            System::Bare | System::Exercised => {
                let (window, cpu) = self.forks(point, script, profile)?;
                self.bare_cpu += cpu;
                Ok(window)
            }
            System::Warm => request(&self.warm, point, script, profile),
            System::Cold => request(&self.cold, point, script, profile),
        }
    }

    fn forks(&mut self, point: Point, script: &Script, profile: Profile) -> Result<(Window, f64)> {
        let loops = if point.system == System::Bare {
            &mut self.bare
        } else {
            &mut self.exercised
        };
        let loops = loops
            .get_mut(..point.clients)
            .context("as many loops as clients")?;
        let seconds = profile.window.as_secs_f64();
        for bare in &mut *loops {
            bare.order(bare::Order {
                script: script.source,
                seconds,
                runs: 2,
            })?;
        }
        let (mut latencies, mut runs_per_s, mut cpu) = (Vec::new(), 0.0, 0.0);
        for bare in loops {
            let forks = bare.report()?;
            runs_per_s += float(forks.latencies.len()) / forks.elapsed.as_secs_f64();
            cpu += forks.cpu.as_secs_f64();
            latencies.extend(forks.latencies);
        }
        let cpu_ms = Some(cpu * 1e3 / float(latencies.len()));
        Ok((
            Window {
                latencies,
                runs_per_s,
                cpu_ms,
            },
            cpu,
        ))
    }

    /// The warm engine's server.
    pub fn warm(&self) -> &Server {
        &self.warm
    }

    /// CPU time that all of it has used, in seconds; `None` where it cannot be counted.
    pub fn cpu(&self) -> Option<f64> {
        let group = |server: &Server| Some(server.group.as_ref()?.cpu()?.as_secs_f64());
        Some(group(&self.warm)? + group(&self.cold)? + self.bare_cpu)
    }

    /// Ends all; the servers have to end well.
    pub fn stop(self) -> Result<()> {
        self.warm.stop()?;
        self.cold.stop()
    }
}

fn answer(server: &Server, script: &Script) -> Result<Bytes> {
    let (exchange, body) = client::once(
        server.address,
        Method::POST,
        "/execute",
        script.body().into(),
    )?;
    let right = exchange.status == 200 && script.is_answered_by(&body);
    ensure!(
        right,
        "{}: {} {}",
        script.name,
        exchange.status,
        shown(&String::from_utf8_lossy(&body))
    );
    Ok(body.into())
}

fn shown(answer: &str) -> String {
    answer.chars().take(300).collect()
}

/// Measures a server.
fn request(server: &Server, point: Point, script: &Script, profile: Profile) -> Result<Window> {
    let expected = answer(server, script)?;
    std::thread::sleep(profile.pause);
    // With many clients, runs of the cold engine wait for seconds in its queue.
    let cut = point.system == System::Cold && point.clients > 2;
    let until = if cut {
        Until::Cut(profile.window)
    } else {
        Until::Time(profile.window)
    };
    let order = load::Order {
        address: server.address,
        method: Method::POST,
        path: "/execute",
        body: script.body().into(),
        expected: Some(expected),
        clients: point.clients,
    };
    let cpu_before = CpuClock::read(server);
    let load = load::run(&order, until)?;
    std::thread::sleep(profile.pause);
    let cpu = CpuClock::read(server).since(&cpu_before);
    ensure!(
        load.wrong == 0,
        "{point:?}: {} wrong answers: {:?}",
        load.wrong,
        load.faults
    );
    ensure!(
        !load.latencies.is_empty(),
        "{point:?}: no answer within the window"
    );
    let runs = float(load.latencies.len());
    let cpu_ms = match (cut, cpu) {
        (true, _) => None,
        (false, Cpu::Whole(seconds)) => Some(seconds * 1e3 / runs),
        (false, Cpu::WithoutCells(seconds)) => {
            Some(seconds * 1e3 / runs + reported_cpu_ms(server, script)?)
        }
    };
    Ok(Window {
        runs_per_s: runs / load.elapsed.as_secs_f64(),
        latencies: load.latencies,
        cpu_ms,
    })
}

/// CPU time in seconds.
#[derive(Debug, Clone, Copy)]
enum Cpu {
    /// Of everything.
    Whole(f64),
    /// Of what lives on between runs.
    WithoutCells(f64),
}

struct CpuClock(Cpu);

impl CpuClock {
    fn read(server: &Server) -> Self {
        if let Some(time) = server.group.as_ref().and_then(Group::cpu) {
            return Self(Cpu::Whole(time.as_secs_f64()));
        }
        let zygotes = proc::zygotes(server.pid());
        let living = zygotes.into_iter().chain([server.pid()]);
        Self(Cpu::WithoutCells(proc::cpu_seconds(living)))
    }

    fn since(&self, before: &Self) -> Cpu {
        match (self.0, before.0) {
            (Cpu::Whole(now), Cpu::Whole(then)) => Cpu::Whole(now - then),
            (
                Cpu::WithoutCells(now) | Cpu::Whole(now),
                Cpu::WithoutCells(then) | Cpu::Whole(then),
            ) => Cpu::WithoutCells(now - then),
        }
    }
}

/// CPU time of a run as the server itself reports it: without what was spent on the cell before.
fn reported_cpu_ms(server: &Server, script: &Script) -> Result<f64> {
    let (_, body) = client::once(
        server.address,
        Method::POST,
        "/v1/executions",
        script.body().into(),
    )?;
    let record: serde_json::Value = serde_json::from_slice(&body)?;
    record["usage"]["cpu_ms"]
        .as_f64()
        .context("a record has usage.cpu_ms")
}

/// The median latency of a window in ms, and its 99th percentile.
pub fn percentiles(latencies: &mut [Duration]) -> (f64, f64) {
    (
        millis(percentile(latencies, 0.5)),
        millis(percentile(latencies, 0.99)),
    )
}
