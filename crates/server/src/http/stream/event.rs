//! The text of an event. HTML, section 9.2.5: a line with its name, a line with its data.

use serde_json::json;

use crate::{
    execution::{LiveEvent, Stream},
    http::ApiError,
};

/// A comment, by which a silent run and its client know of each other.
pub(super) fn heartbeat() -> String {
    ": still running\n\n".to_owned()
}

/// What happens while the run lasts.
pub(super) fn live_event(event: &LiveEvent) -> String {
    let name = |stream: Stream| match stream {
        Stream::Stdout => "stdout",
        Stream::Stderr => "stderr",
    };
    match event {
        LiveEvent::Started => framed("restarted", "{}"),
        LiveEvent::Printed(stream, text) => {
            framed(name(*stream), &json!({ "text": text }).to_string())
        }
        LiveEvent::Skipped(stream, bytes) => {
            let data = json!({ "stream": name(*stream), "skipped_bytes": bytes });
            framed("lagged", &data.to_string())
        }
    }
}

/// The last event: the record, or the error that a body without streaming would hold.
pub(super) fn closing(last: Result<String, ApiError>) -> String {
    match last {
        Ok(record) => framed("result", &record),
        Err(error) => framed("error", &error.into_json()),
    }
}

/// A line break in JSON stands between tokens, never in a string: a space is as good, and cannot
/// end the event.
fn framed(name: &str, json: &str) -> String {
    let data = json.replace(['\n', '\r'], " ");
    format!("event: {name}\ndata: {data}\n\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_data_ends_its_event() {
        let printed = LiveEvent::Printed(Stream::Stdout, "a\n\nevent: result\r\n".to_owned());
        assert_eq!(
            live_event(&printed),
            "event: stdout\ndata: {\"text\":\"a\\n\\nevent: result\\r\\n\"}\n\n"
        );
        assert_eq!(
            closing(Ok("{\"result\":\n\n[1,\r2]}".to_owned())),
            "event: result\ndata: {\"result\":  [1, 2]}\n\n"
        );
    }

    #[test]
    fn a_failure_of_ours_is_an_event_without_internals() {
        let text = closing(Err(ApiError::Internal("secret".to_owned())));
        assert!(text.starts_with("event: error\ndata: {\"error\":{\"type\":\"internal\""));
        assert!(!text.contains("secret"));
    }
}
