//! What a server answered.

use std::time::Duration;

use serde_json::Value;

/// One answer, with the time that it took.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// Name in lower case, and value.
    pub headers: Vec<(String, String)>,
    /// The body as it came.
    pub body: Vec<u8>,
    /// From the request to the last byte of the body.
    pub took: Duration,
}

impl Answer {
    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(header, _)| header == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON; `null` where it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// `error.type`, if there is one.
    pub fn error_type(&self) -> String {
        let body = self.json();
        body["error"]["type"].as_str().unwrap_or("").to_owned()
    }

    /// Status and body in short, for a message.
    pub fn shown(&self) -> String {
        let text = self.text();
        let end = text.floor_char_boundary(1500);
        let dots = if end < text.len() { " [...]" } else { "" };
        let took = self.took.as_millis();
        format!("{} after {took} ms: {}{dots}", self.status, &text[..end])
    }
}
