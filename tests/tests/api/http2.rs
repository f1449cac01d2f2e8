//! HTTP/2 by hand, for the ways in which one of its clients may leave or do harm.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use cellblock_tests::{Report, Server, Setup, eventually, matrix, named};
use serde_json::json;

use crate::{expect, new_name, sleeper, unrestricted};

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const CONTINUATION: u8 = 9;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
const CANCEL: [u8; 4] = [0, 0, 0, 8];
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

matrix!(suite);

fn suite(setup: &Setup, report: &mut Report) {
    let server = unrestricted(setup).start();
    report.add("an answer", answer(&server));
    for path in ["/execute", "/v1/executions"] {
        report.add(format!("{path}: closed"), leave(&server, path, drop));
        let reset = |mut stream: TcpStream| {
            stream.write_all(&frame(RST_STREAM, 0, 1, &CANCEL)).unwrap();
            // The connection stays.
            std::thread::spawn(move || {
                std::thread::sleep(Duration::from_secs(6));
                drop(stream);
            });
        };
        report.add(format!("{path}: reset"), leave(&server, path, reset));
    }
    server.stop(report);
}

fn leave(server: &Server, path: &str, end: impl FnOnce(TcpStream)) -> Result<(), String> {
    let name = new_name();
    let body = json!({ "script": sleeper(&name), "limits": { "timeout_ms": 60_000 } });
    let stream = begin(server.client().address(), path, &body.to_string());
    let runs = || !named(&name).is_empty();
    expect(eventually(Duration::from_secs(20), runs), "it does not run")?;
    end(stream);
    let gone = || named(&name).is_empty();
    expect(eventually(Duration::from_secs(5), gone), "it still runs")
}

/// What HTTP/1 answers, as one frame of data.
fn answer(server: &Server) -> Result<(), String> {
    let body = r#"{"script": "def main(): return 2"}"#;
    let mut stream = begin(server.client().address(), "/execute", body);
    let patience = Some(Duration::from_secs(20));
    stream.set_read_timeout(patience).unwrap();
    loop {
        let mut head = [0; 9];
        let read = stream.read_exact(&mut head);
        read.map_err(|error| error.to_string())?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut payload = vec![0; length as usize];
        stream.read_exact(&mut payload).unwrap();
        match head[3] {
            // RFC 7541, appendix A: the entry of `:status: 200`.
            HEADERS => expect(payload.first() == Some(&(0x80 | 8)), payload)?,
            DATA => {
                let text = String::from_utf8_lossy(&payload);
                return expect(text == r#"{"result":2,"stdout":""}"#, text);
            }
            _ => {}
        }
    }
}

/// What is sent the `n`th time.
pub(crate) type Wave = fn(u32) -> Vec<u8>;

/// What begins a connection, and what is then sent now and then: ways to keep one without ever
/// asking for anything.
pub(crate) fn drips() -> [(&'static str, Vec<u8>, Wave); 6] {
    let begun = beginning();
    let head = [begun.clone(), part_of_a_head(0)].concat();
    let ask = frame(HEADERS, END_HEADERS, 1, &self::head("/execute"));
    let asked = [begun.clone(), ask].concat();
    let closed = [asked.clone(), frame(RST_STREAM, 0, 1, &CANCEL)].concat();
    let head_drop: Wave = |_| frame(CONTINUATION, 0, 1, b"\0\x01a\x01b");
    // Requests without a single field, each of which is answered by a reset that is longer than it.
    let void: Wave = |n| frame(HEADERS, END_HEADERS, 2 * n + 1, b"");
    [
        ("settings", PREFACE.to_vec(), |_| frame(SETTINGS, 0, 0, b"")),
        ("bodies", asked, |_| frame(DATA, 0, 1, b" ")),
        ("strays", closed, |_| frame(DATA, 0, 1, b" ")),
        ("pings", begun.clone(), |_| frame(PING, 0, 0, &[1; 8])),
        ("heads", head, head_drop),
        ("nothing", begun, void),
    ]
}

/// A connection's beginning.
pub(crate) fn beginning() -> Vec<u8> {
    [PREFACE, &frame(SETTINGS, 0, 0, b"")].concat()
}

/// The `n`th request of a connection, taken back at once.
pub(crate) fn taken_back(n: u32) -> Vec<u8> {
    let stream = 2 * n + 1;
    let ask = frame(HEADERS, END_HEADERS, stream, &head("/execute"));
    [ask, frame(RST_STREAM, 0, stream, &CANCEL)].concat()
}

/// The `n`th part of a head whose end never comes.
pub(crate) fn part_of_a_head(n: u32) -> Vec<u8> {
    if n == 0 {
        return frame(HEADERS, 0, 1, &head("/execute"));
    }
    // 0x7f 0x81 0x01 is a length of 256: RFC 7541, section 5.1.
    let field = [b"\0\x01a\x7f\x81\x01".as_slice(), &[b'x'; 256]].concat();
    frame(CONTINUATION, 0, 1, &field.repeat(60))
}

/// Sends a request and reads nothing.
fn begin(address: &str, path: &str, body: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    let mut bytes = beginning();
    bytes.extend(frame(HEADERS, END_HEADERS, 1, &head(path)));
    bytes.extend(frame(DATA, END_STREAM, 1, body.as_bytes()));
    stream.write_all(&bytes).unwrap();
    stream
}

/// The fields of a request's head.
fn head(path: &str) -> Vec<u8> {
    let mut head = Vec::new();
    for (name, value) in [
        (":method", "POST"),
        (":scheme", "http"),
        (":path", path),
        (":authority", "x"),
        ("content-type", "application/json"),
    ] {
        // A literal without indexing and without Huffman's code: RFC 7541, section 6.2.2.
        head.push(0);
        for text in [name, value] {
            head.push(u8::try_from(text.len()).unwrap());
            head.extend_from_slice(text.as_bytes());
        }
    }
    head
}

/// RFC 9113, section 4.1
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut frame = length[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend_from_slice(payload);
    frame
}
