//! The rounds: every system with every script, side by side, again and again, so that whatever else
//! the machine does hits all alike.

use std::{path::Path, time::Duration};

use anyhow::{Context, Result, ensure};
use serde::Serialize;

use crate::{
    bare::{self, Bare},
    engine,
    profile::{CLIENTS, Profile, THINK},
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
    /// Who asks.
    #[serde(flatten)]
    pub crowd: Crowd,
}

/// Who asks for runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Crowd {
    /// Clients; of bare forks, loops that fork.
    pub clients: usize,
    /// They wait after each answer, so that the pool is full for each request. Else the next
    /// request follows at once, and how fast cells are made decides everything.
    pub paced: bool,
}

/// One client with pauses.
pub const PACED: Crowd = Crowd {
    clients: 1,
    paced: true,
};

/// Clients without pauses.
pub const fn closed(clients: usize) -> Crowd {
    Crowd {
        clients,
        paced: false,
    }
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
        let exercised = usize::from(profile.exercised);
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
        let script = script.name;
        let mut points = Vec::new();
        for crowd in std::iter::once(PACED).chain(CLIENTS.map(closed)) {
            let clients = crowd.clients;
            let cold = !crowd.paced && profile.cold_clients.contains(&clients);
            let systems = [
                (System::Bare, clients <= self.bare.len()),
                (System::Exercised, clients <= self.exercised.len()),
                (System::Warm, true),
                (System::Cold, cold),
            ];
            let measured = systems.into_iter().filter(|(_, measured)| *measured);
            points.extend(measured.map(|(system, _)| Point {
                system,
                script,
                crowd,
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
                think: 0.0,
                runs: 5,
            })?;
            let answer = bare.report()?.answer;
            let right = script.is_answered_by(answer.as_bytes());
            ensure!(
                right,
                "{}: a fork answered {}",
                script.name,
                engine::shown(&answer)
            );
        }
        for server in [&self.warm, &self.cold] {
            engine::answer(server, script)?;
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
            System::Warm => engine::measure(&self.warm, point, script, profile),
            System::Cold => engine::measure(&self.cold, point, script, profile),
        }
    }

    fn forks(&mut self, point: Point, script: &Script, profile: Profile) -> Result<(Window, f64)> {
        let loops = if point.system == System::Bare {
            &mut self.bare
        } else {
            &mut self.exercised
        };
        let loops = loops
            .get_mut(..point.crowd.clients)
            .context("as many loops as clients")?;
        let seconds = profile.window.as_secs_f64();
        let think = if point.crowd.paced {
            THINK.as_secs_f64()
        } else {
            0.0
        };
        for bare in &mut *loops {
            bare.order(bare::Order {
                script: script.source,
                seconds,
                think,
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

/// The median latency of a window in ms, and its 99th percentile.
pub fn percentiles(latencies: &mut [Duration]) -> (f64, f64) {
    (
        millis(percentile(latencies, 0.5)),
        millis(percentile(latencies, 0.99)),
    )
}
