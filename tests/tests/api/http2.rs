//! HTTP/2 by hand, for the ways in which one of its clients may leave.

use std::{io::Write, net::TcpStream, time::Duration};

use cellblock_tests::{Report, Server, Setup, eventually, matrix, named};
use serde_json::json;

use crate::{expect, new_name, sleeper, unrestricted};

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
const CANCEL: [u8; 4] = [0, 0, 0, 8];

matrix!(suite);

fn suite(setup: &Setup, report: &mut Report) {
    let server = unrestricted(setup).start();
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

/// Sends a request and reads nothing.
fn begin(address: &str, path: &str, body: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
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
    let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    bytes.extend(frame(SETTINGS, 0, 0, b""));
    bytes.extend(frame(HEADERS, END_HEADERS, 1, &head));
    bytes.extend(frame(DATA, END_STREAM, 1, body.as_bytes()));
    stream.write_all(&bytes).unwrap();
    stream
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
