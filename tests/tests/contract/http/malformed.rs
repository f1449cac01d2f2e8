//! Bytes that are no HTTP, or less of it than was promised. The server of these checks waits for
//! heads and bodies for one second.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

use cellblock_tests::{Report, Server, raw};

const PATIENCE: Duration = Duration::from_secs(20);
const SCRIPT: &str = r#"{"script": "def main(): return 1"}"#;

pub(super) fn check(server: &Server, report: &mut Report) {
    let address = server.client().address();
    for (name, bytes) in garbage() {
        let answer = raw(address, &bytes, PATIENCE);
        let refused = answer
            .as_ref()
            .is_ok_and(|text| text.is_empty() || text.starts_with("HTTP/1.1 4"));
        report.check(name, refused, format!("{answer:?}"));
    }
    chunked(address, report);
    pipelined(address, report);
    expecting(address, report);
    silent(address, report);
    half_a_body(address, report);
}

fn garbage() -> Vec<(&'static str, Vec<u8>)> {
    let post = "POST /execute HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n";
    let text = |text: String| text.into_bytes();
    vec![
        ("no request line", b"GARBAGE\r\n\r\n".to_vec()),
        ("binary", (0..=255).collect()),
        (
            "a TLS greeting",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(),
        ),
        (
            "another version",
            b"GET /health HTTP/9.9\r\nHost: x\r\n\r\n".to_vec(),
        ),
        ("no version", b"GET /health\r\n\r\n".to_vec()),
        (
            "a head without an end",
            b"GET /health HTTP/1.1\r\nHost: x\r\n".to_vec(),
        ),
        (
            "a long path",
            text(format!(
                "GET /{} HTTP/1.1\r\nHost: x\r\n\r\n",
                "x".repeat(100_000)
            )),
        ),
        (
            "a long header",
            text(format!(
                "GET / HTTP/1.1\r\nX: {}\r\n\r\n",
                "x".repeat(100_000)
            )),
        ),
        (
            "many headers",
            text(format!("GET / HTTP/1.1\r\n{}\r\n", "X: y\r\n".repeat(5000))),
        ),
        (
            "a NUL in a header",
            b"GET /health HTTP/1.1\r\nHost: \0\r\n\r\n".to_vec(),
        ),
        (
            "a space before the colon",
            b"GET /health HTTP/1.1\r\nHost : x\r\n\r\n".to_vec(),
        ),
        (
            "a negative length",
            text(format!("{post}Content-Length: -1\r\n\r\n{SCRIPT}")),
        ),
        (
            "a length in words",
            text(format!("{post}Content-Length: ten\r\n\r\n{SCRIPT}")),
        ),
        (
            "two lengths",
            text(format!(
                "{post}Content-Length: 5\r\nContent-Length: 6\r\n\r\n{SCRIPT}"
            )),
        ),
        (
            "a huge length",
            text(format!(
                "{post}Content-Length: 18446744073709551616\r\n\r\n"
            )),
        ),
        (
            "a large length",
            text(format!("{post}Content-Length: 9000000000000000000\r\n\r\n")),
        ),
        (
            "a body cut short",
            text(format!("{post}Content-Length: 5000\r\n\r\n{SCRIPT}")),
        ),
        (
            "a chunk of nonsense",
            text(format!("{post}Transfer-Encoding: chunked\r\n\r\nxyz\r\n")),
        ),
        (
            "a chunk cut short",
            text(format!("{post}Transfer-Encoding: chunked\r\n\r\n50\r\nabc")),
        ),
        (
            "a huge chunk",
            text(format!(
                "{post}Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n"
            )),
        ),
        (
            "an unknown coding",
            text(format!("{post}Transfer-Encoding: magic\r\n\r\n{SCRIPT}")),
        ),
    ]
}

fn chunked(address: &str, report: &mut Report) {
    let head = "POST /execute HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\
                Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
    let (first, second) = SCRIPT.split_at(10);
    let chunks = format!(
        "{:x}\r\n{first}\r\n{:x}\r\n{second}\r\n0\r\n\r\n",
        first.len(),
        second.len()
    );
    let answer = raw(address, format!("{head}{chunks}").as_bytes(), PATIENCE);
    let good = answer
        .as_ref()
        .is_ok_and(|text| text.ends_with(r#"{"result":1,"stdout":""}"#));
    report.check("a body in chunks", good, format!("{answer:?}"));
    let endless = "10000\r\n".to_owned() + &" ".repeat(0x10000) + "\r\n";
    let answer = raw(
        address,
        format!("{head}{}0\r\n\r\n", endless.repeat(300)).as_bytes(),
        PATIENCE,
    );
    let good = answer
        .as_ref()
        .is_ok_and(|text| text.starts_with("HTTP/1.1 413"));
    report.check("too much in chunks", good, format!("{answer:?}"));
}

fn pipelined(address: &str, report: &mut Report) {
    let one = |close: &str| {
        format!(
            "POST /execute HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n{close}\
             Content-Length: {}\r\n\r\n{SCRIPT}",
            SCRIPT.len()
        )
    };
    let both = one("") + &one("Connection: close\r\n");
    let answer = raw(address, both.as_bytes(), PATIENCE).unwrap_or_else(|error| error);
    let good = answer.matches(r#"{"result":1,"stdout":""}"#).count() == 2;
    report.check("two requests at once", good, answer);
}

/// What curl does with large bodies.
fn expecting(address: &str, report: &mut Report) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let head = format!(
        "POST /execute HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
         Connection: close\r\nExpect: 100-continue\r\nContent-Length: {}\r\n\r\n",
        SCRIPT.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut begin = [0; 12];
    let read = stream.read_exact(&mut begin);
    let good = read.is_ok() && &begin == b"HTTP/1.1 100";
    report.check(
        "a client that asks first",
        good,
        String::from_utf8_lossy(&begin),
    );
    stream.write_all(SCRIPT.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    report.check("and then sends", answer.contains("{\"result\":1,"), answer);
}

/// A client that connects and says nothing, or not enough, is let go.
fn silent(address: &str, report: &mut Report) {
    for beginning in ["", "POST /exec"] {
        let started = Instant::now();
        let ended = raw(address, beginning.as_bytes(), PATIENCE);
        let took = started.elapsed();
        let good = ended.is_ok() && took < PATIENCE / 2;
        report.check(
            format!("silence after {beginning:?}"),
            good,
            format!("{took:?} {ended:?}"),
        );
    }
}

fn half_a_body(address: &str, report: &mut Report) {
    let head = "POST /execute HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
                Content-Length: 100\r\n\r\n{\"script\": ";
    let answer = raw(address, head.as_bytes(), PATIENCE).unwrap_or_else(|error| error);
    let good =
        answer.starts_with("HTTP/1.1 400") && answer.contains("did not arrive within 1000 ms");
    report.check("a body that stops coming", good, answer);
}
