//! HTTP by hand, for answers that are read while they are being made.

use std::{
    fmt::Write as _,
    io::{self, BufRead, BufReader, Read, Write},
    net::TcpStream,
    time::Duration,
};

/// No byte in this time is a hang.
const HANG: Duration = Duration::from_mins(1);

/// An answer whose head has come.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: BufReader<Body>,
}

/// A body, chunked or up to the end of the connection.
pub(crate) struct Body {
    stream: BufReader<TcpStream>,
    /// Bytes left of the chunk; `None` where the body is not chunked.
    left: Option<usize>,
}

/// Sends a request and reads the head of its answer.
pub(crate) fn open(address: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Reply {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(HANG)).unwrap();
    let mut head = format!("POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n");
    for (name, value) in headers {
        write!(head, "{name}: {value}\r\n").unwrap();
    }
    let length = body.len();
    let json = "Content-Type: application/json";
    write!(
        stream,
        "{head}{json}\r\nContent-Length: {length}\r\n\r\n{body}"
    )
    .unwrap();
    read_head(stream)
}

fn read_head(stream: TcpStream) -> Reply {
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    stream.read_line(&mut line).unwrap();
    let status = line.split(' ').nth(1).and_then(|code| code.parse().ok());
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).unwrap();
        match line.trim_end().split_once(": ") {
            Some((name, value)) => headers.push((name.to_lowercase(), value.to_owned())),
            None => break,
        }
    }
    let chunked = headers.iter().any(|(name, _)| name == "transfer-encoding");
    let left = chunked.then_some(0);
    Reply {
        status: status.unwrap(),
        headers,
        body: BufReader::new(Body { stream, left }),
    }
}

impl Reply {
    /// A header's value.
    pub(crate) fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(header, _)| header == name);
        found.map_or("", |(_, value)| value)
    }

    /// All that is left of the body.
    pub(crate) fn text(mut self) -> String {
        let mut text = String::new();
        self.body.read_to_string(&mut text).unwrap();
        text
    }
}

impl Body {
    fn next_chunk(&mut self) -> io::Result<usize> {
        let mut line = String::new();
        while line.trim().is_empty() {
            line.clear();
            if self.stream.read_line(&mut line)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        usize::from_str_radix(line.trim(), 16).map_err(io::Error::other)
    }
}

impl Read for Body {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left == Some(0) {
            self.left = Some(self.next_chunk()?);
            if self.left == Some(0) {
                return Ok(0);
            }
        }
        let most = self.left.unwrap_or(usize::MAX).min(buffer.len());
        let read = self.stream.read(&mut buffer[..most])?;
        self.left = self.left.map(|left| left - read);
        Ok(read)
    }
}
