//! Drives one run: hands over the job, listens to everything at once, stops at the first reason.

use std::time::Duration;

use cellblock_wire::{
    job::CellLimits,
    packet::{self, Token},
};

use tokio::time::Instant;
use tracing::Instrument;

use super::{
    Cell,
    answer::{Answer, Budget, Progress},
    capture::Capture,
    life::{Ended, read_report},
    pace::Pace,
    verdict::{NoVerdict, Observed, Stop, verdict},
    watch::Watch,
};
use crate::{
    cgroup::Slot,
    execution::{Limits, Live, Outcome, Stream, Truncated, Usage},
    telemetry::phase,
};

/// How long output may still come once nobody is left to write it.
const LAST_WORDS: Duration = Duration::from_millis(250);

/// A job, ready to be sent, and what its run may use.
#[derive(Debug)]
pub struct Task {
    /// The job document, JSON.
    pub document: Vec<u8>,
    /// The run's limits.
    pub limits: Limits,
    /// What its answer may hold.
    pub budget: Budget,
    /// The files, by name, that the client wants to have.
    pub wanted: Vec<String>,
    /// Bytes kept of stdout.
    pub stdout_bytes: usize,
    /// Bytes kept of stderr.
    pub stderr_bytes: usize,
    /// Wait for init's report even where the answer does not need it: it has the exact CPU time.
    pub measure: bool,
    /// Who is told of the run while it runs.
    pub live: Option<Live>,
}

impl Cell {
    /// Runs one job. The cell is spent afterwards, and may still be on its way out: the caller
    /// ends it, by [`Cell::hang_up`] or [`Cell::end`], and then its place is free.
    pub async fn run(&mut self, task: &Task) -> Result<Outcome, NoVerdict> {
        let started = Instant::now();
        if let Some(slot) = &mut self.life.slot {
            slot.limit(task.limits.memory_bytes);
        }
        if let Some(user) = &mut self.life.user {
            user.begins();
        }
        let mut streams = [
            Capture::new(task.stdout_bytes).told_to(task.live.as_ref(), Stream::Stdout),
            Capture::new(task.stderr_bytes).told_to(task.live.as_ref(), Stream::Stderr),
        ];
        let token = Token(random_token()?);
        let mut answer = Answer::new(token, task.budget);

        let listening = self.listen(task, token, &mut answer, &mut streams);
        let stop = listening.instrument(phase("run")).await;
        let wall = started.elapsed();
        self.begun = answer.started();
        let last_words = self.last_words(stop, task.measure, &mut streams);
        let ended = last_words.instrument(phase("collect")).await;

        let usage = self.usage(wall, ended, task.measure || stop != Stop::Done);
        let out_of_memory = self.life.slot.as_ref().is_some_and(Slot::has_killed);
        let slot = self.life.slot.as_ref().filter(|_| out_of_memory);
        let observed = Observed {
            stop,
            result: answer.result(),
            error: answer.error(),
            started: answer.started(),
            out_of_memory,
            peak: slot.and_then(Slot::peak),
            cpu: usage.cpu,
        };
        let result = verdict(observed, &task.limits, task.budget.result_bytes)?;
        let [(stdout, cut_out), (stderr, cut_err)] = streams.map(Capture::finish);
        let cut = [
            (Truncated::Stdout, cut_out),
            (Truncated::Stderr, cut_err),
            (Truncated::Files, answer.has_cut_files()),
        ];
        let truncated = cut
            .into_iter()
            .filter_map(|(part, cut)| cut.then_some(part))
            .collect();
        // Where the run was ended, nobody has looked for its files.
        let missing = match stop {
            Stop::Done => answer.missing(&task.wanted),
            _ => Vec::new(),
        };
        Ok(Outcome {
            result,
            stdout,
            stderr,
            truncated,
            files: answer.files(),
            missing,
            usage: Usage {
                collect: started.elapsed().saturating_sub(wall),
                ..usage
            },
        })
    }

    /// Sends the job and takes what comes until there is a reason to stop.
    async fn listen(
        &mut self,
        task: &Task,
        token: Token,
        answer: &mut Answer,
        streams: &mut [Capture; 2],
    ) -> Stop {
        let deadline = Instant::now() + task.limits.timeout;
        let mut packets = job_packets(task, token).into_iter();
        let mut unsent = packets.next();
        let mut watch = Watch::new(
            &task.limits,
            self.life.slot.is_some(),
            self.life.place.is_some(),
        );
        let mut channel_open = true;
        let mut pace = Pace::new(Instant::now());
        let [stdout, stderr] = streams;
        loop {
            // Looked at in every round, because a stream that never pauses would keep the timers
            // below from ever being asked.
            let now = Instant::now();
            if now >= deadline {
                return Stop::Timeout;
            }
            if now >= watch.next
                && let Some(stop) = watch.look(
                    self.life.slot.as_mut(),
                    &self.life.pidfd,
                    self.life.place.as_ref(),
                )
            {
                return stop;
            }
            if unsent.is_none()
                && let Some(until) = pace.spend(now)
            {
                tokio::time::sleep_until(until.min(deadline)).await;
                continue;
            }
            // The order matters: an answer that came before the process' end counts.
            tokio::select! {
                biased;
                received = next_packet(&mut self.channel, unsent.as_deref()), if channel_open => {
                    match received {
                        Event::Sent => unsent = packets.next(),
                        Event::Closed => channel_open = false,
                        Event::Progress(packet) => match answer.take(packet) {
                            Progress::More => {}
                            Progress::Done => return Watch::last(self.life.place.as_ref()),
                            Progress::Flooded => return Stop::Flooded,
                        },
                    }
                }
                () = stdout.read(&mut self.stdout) => {}
                () = stderr.read(&mut self.stderr) => {}
                ended = read_report(&mut self.life.ended, &mut self.life.report) => return Stop::Ended(ended),
                () = tokio::time::sleep_until(deadline.min(watch.next)) => {}
            }
        }
    }

    /// Takes the output that was written before the end.
    async fn last_words(
        &mut self,
        stop: Stop,
        measure: bool,
        streams: &mut [Capture; 2],
    ) -> Option<Ended> {
        let [stdout, stderr] = streams;
        if stop == Stop::Done && !measure {
            // All that the script printed was in the pipes before its answer was.
            stdout.drain(&self.stdout, 64);
            stderr.drain(&self.stderr, 64);
            return self.life.ended;
        }
        let ended = self.end().await;
        // Every writer is dead, but for a cell whose end could not be seen.
        let rest = async {
            stdout.read_to_end(&mut self.stdout).await;
            stderr.read_to_end(&mut self.stderr).await;
        };
        let _ = tokio::time::timeout(LAST_WORDS, rest).await;
        Some(ended)
    }

    fn usage(&self, wall: Duration, ended: Option<Ended>, measure: bool) -> Usage {
        if !measure {
            return Usage {
                wall,
                ..Usage::default()
            };
        }
        let reported = match ended {
            Some(Ended::Reported(report)) => Some(report),
            _ => None,
        };
        let slot = self.life.slot.as_ref();
        Usage {
            wall,
            cpu: reported
                .map(|report| Duration::from_micros(report.cpu_us))
                .or_else(|| slot.and_then(Slot::cpu)),
            peak_memory_bytes: slot.and_then(Slot::peak),
            ..Usage::default()
        }
    }
}

enum Event<'a> {
    Sent,
    Closed,
    Progress(&'a [u8]),
}

/// Sends the packet that is waiting to be sent, else receives one. A job is sent whole before
/// anything is listened to: the runner reads all of it before it says anything.
async fn next_packet<'a>(
    channel: &'a mut super::channel::Channel,
    unsent: Option<&[u8]>,
) -> Event<'a> {
    if let Some(packet) = unsent {
        return match channel.send(packet).await {
            Ok(true) => Event::Sent,
            Ok(false) | Err(_) => Event::Closed,
        };
    }
    match channel.receive().await {
        Ok(Some(packet)) => Event::Progress(packet),
        Ok(None) | Err(_) => Event::Closed,
    }
}

/// Seconds of CPU time are the kernel's own backstop behind the server's watch: one more than the
/// limit, so that it is the server that finds out.
fn job_packets(task: &Task, token: Token) -> Vec<Vec<u8>> {
    let limits = CellLimits {
        memory_bytes: task.limits.memory_bytes,
        cpu_seconds: task.limits.cpu.as_secs() + 1,
    };
    packet::job_packets(token, limits, &task.document).collect()
}

fn random_token() -> Result<[u8; 16], NoVerdict> {
    let mut token = [0; 16];
    let flags = rustix::rand::GetRandomFlags::empty();
    // Up to 256 bytes are never cut short: getrandom(2).
    match rustix::rand::getrandom(&mut token[..], flags) {
        Ok(16) => Ok(token),
        _ => Err(NoVerdict("the kernel gave no random bytes".to_owned())),
    }
}
