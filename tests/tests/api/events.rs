//! Server-sent events, as a browser takes them apart.

use std::{
    io::BufRead,
    time::{Duration, Instant},
};

use cellblock_tests::Server;
use serde_json::{Value, json};

use crate::wire::{Reply, open};

/// One event, and when it came.
#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) name: String,
    pub(crate) data: Value,
    pub(crate) at: Duration,
}

/// An open stream.
pub(crate) struct Events {
    pub(crate) reply: Reply,
    pub(crate) heartbeats: usize,
    started: Instant,
}

/// Runs a script as a stream.
pub(crate) fn listen(server: &Server, script: &str, limits: &Value) -> Events {
    let body = json!({ "script": script, "limits": limits });
    let accept = [("Accept", "text/event-stream")];
    let started = Instant::now();
    let address = server.client().address();
    let reply = open(address, "/v1/executions", &accept, &body.to_string());
    Events {
        reply,
        heartbeats: 0,
        started,
    }
}

impl Iterator for Events {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        let (mut name, mut data) = (String::new(), String::new());
        loop {
            let mut line = String::new();
            // A stream that breaks off has ended.
            if self.reply.body.read_line(&mut line).unwrap_or(0) == 0 {
                return None;
            }
            let line = line.trim_end_matches('\n');
            if let Some(value) = line.strip_prefix("event: ") {
                value.clone_into(&mut name);
            } else if let Some(value) = line.strip_prefix("data: ") {
                data.push_str(value);
            } else if line.starts_with(':') {
                self.heartbeats += 1;
            } else if line.is_empty() && !name.is_empty() {
                return Some(Event {
                    name,
                    data: serde_json::from_str(&data).expect("JSON"),
                    at: self.started.elapsed(),
                });
            }
        }
    }
}

/// The text of all events of this name.
pub(crate) fn text(events: &[Event], name: &str) -> String {
    let of_stream = events.iter().filter(|event| event.name == name);
    of_stream
        .map(|event| event.data["text"].as_str().expect("text"))
        .collect()
}
