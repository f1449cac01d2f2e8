//! Measuring a server.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use hyper::Method;

use crate::{
    client,
    group::Group,
    load::{self, Until},
    measure::{Point, System, Window},
    proc,
    profile::{Profile, THINK},
    scripts::Script,
    server::Server,
    stats::float,
};

/// What a server answers to a script, which has to be right.
pub fn answer(server: &Server, script: &Script) -> Result<Bytes> {
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

/// The beginning of an answer, for a message.
pub fn shown(answer: &str) -> String {
    answer.chars().take(300).collect()
}

/// Measures one point once.
pub fn measure(server: &Server, point: Point, script: &Script, profile: Profile) -> Result<Window> {
    let expected = answer(server, script)?;
    std::thread::sleep(profile.pause);
    // With many clients, runs of the cold engine wait for seconds in its queue.
    let cut = point.system == System::Cold && point.crowd.clients > 2;
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
        clients: point.crowd.clients,
        think: if point.crowd.paced {
            THINK
        } else {
            Duration::ZERO
        },
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
