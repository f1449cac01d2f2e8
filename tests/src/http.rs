//! The client's side: ordinary requests, and bytes that are none.

use std::{
    io::{ErrorKind, Read, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

use ureq::{
    Agent,
    http::{Method, Request},
};

use crate::{Answer, setting::stretched};

/// No answer in this time is a hang.
const HANG: Duration = Duration::from_mins(2);

/// An HTTP client of one server.
#[derive(Debug, Clone)]
pub struct Client {
    agent: Agent,
    address: String,
}

impl Client {
    pub(crate) fn new(address: String) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .allow_non_standard_methods(true)
            .timeout_global(Some(stretched(HANG)))
            .max_redirects(0)
            .build();
        Self {
            agent: config.into(),
            address,
        }
    }

    /// Host and port.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Sends a request, whatever comes of it.
    pub fn try_send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<Answer, String> {
        let uri = format!("http://{}{path}", self.address);
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        let mut request = Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(body).expect("a request");
        let started = Instant::now();
        let mut response = self.agent.run(request).map_err(|error| error.to_string())?;
        let body = response
            .body_mut()
            .with_config()
            .limit(1 << 30)
            .read_to_vec();
        let body = body.map_err(|error| error.to_string())?;
        let text = |value: &ureq::http::HeaderValue| {
            String::from_utf8_lossy(value.as_bytes()).into_owned()
        };
        let headers = response.headers().iter();
        Ok(Answer {
            status: response.status().as_u16(),
            headers: headers
                .map(|(name, value)| (name.to_string(), text(value)))
                .collect(),
            body,
            took: started.elapsed(),
        })
    }

    /// Sends a request that has to be answered.
    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        self.try_send(method, path, headers, body)
            .unwrap_or_else(|error| panic!("{method} {path} was not answered: {error}"))
    }

    /// Sends JSON.
    pub fn post(&self, path: &str, body: &[u8]) -> Answer {
        self.send("POST", path, &[("content-type", "application/json")], body)
    }

    /// Gets a page.
    pub fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], b"")
    }

    /// Opens a connection and sends the head and the body of a request, without reading.
    pub fn begin(&self, path: &str, body: &str) -> TcpStream {
        self.begin_with(path, "", body)
    }

    /// The same, for an answer that comes as it is made.
    pub fn begin_stream(&self, path: &str, body: &str) -> TcpStream {
        self.begin_with(path, "Accept: text/event-stream\r\n", body)
    }

    fn begin_with(&self, path: &str, header: &str, body: &str) -> TcpStream {
        let mut stream = TcpStream::connect(&self.address).expect("connected");
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
             Connection: close\r\n{header}Content-Length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).expect("sent");
        stream.write_all(body.as_bytes()).expect("sent");
        stream
    }
}

/// Sends bytes and reads what comes until the server ends the connection, for at most `patience`,
/// times the machine's slowness.
pub fn raw(address: &str, bytes: &[u8], patience: Duration) -> Result<String, String> {
    let mut stream = TcpStream::connect(address).map_err(|error| error.to_string())?;
    let patience = Some(stretched(patience));
    stream.set_read_timeout(patience).expect("a timeout");
    // A server may answer and close before everything is sent.
    let _ = stream.write_all(bytes);
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer) {
        Err(error) if answer.is_empty() && error.kind() != ErrorKind::ConnectionReset => {
            Err(format!("neither an answer nor an end: {error}"))
        }
        _ => Ok(String::from_utf8_lossy(&answer).into_owned()),
    }
}
