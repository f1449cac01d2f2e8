//! Clients that mean harm: bounded, answered or closed, and the server is well.

use std::{
    io::{ErrorKind, Read, Write},
    net::TcpStream,
    thread,
    time::{Duration, Instant},
};

use cellblock_tests::{Report, Server, Setup, matrix, raw};

use crate::expect;

const HEAD: &str = "POST /execute HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n";
const ONE: &[u8] = br#"{"script": "def main(): return 1"}"#;

matrix!(suite);

fn suite(setup: &Setup, report: &mut Report) {
    let setup = setup
        .clone()
        .set("server", "header_timeout_ms", 1000)
        .set("server", "body_timeout_ms", 1500)
        .set("server", "max_connections", 256);
    let server = setup.set("pool", "queue_length", 50).start();
    report.add("slow heads", slow(&server, "GET /health HTTP/1.1\r\nX: "));
    let slow_body = format!("{HEAD}Content-Length: 1000\r\n\r\n");
    report.add("slow bodies", slow(&server, &slow_body));
    let slow_chunks = format!("{HEAD}Transfer-Encoding: chunked\r\n\r\n");
    report.add("slow chunks", slow(&server, &slow_chunks));
    report.add("bombs of headers", bombs(&server));
    report.add("endless chunks", endless(&server));
    report.add("600 at once", crowd(&server));
    report.add("the server is well", well(&server));
    server.stop(report);
}

fn well(server: &Server) -> Result<(), String> {
    let answer = server.client().post("/execute", ONE);
    expect(answer.status == 200, answer.shown())?;
    expect(answer.took < Duration::from_secs(5), answer.took)
}

/// Sends a byte now and then on many connections. Each is closed in time, and meanwhile others are
/// served.
fn slow(server: &Server, start: &str) -> Result<(), String> {
    let address = server.client().address();
    let started = Instant::now();
    let lasted: Vec<_> = thread::scope(|scope| {
        let drips: Vec<_> = (0..50)
            .map(|_| scope.spawn(|| drip(address, start)))
            .collect();
        thread::sleep(Duration::from_millis(500));
        let meanwhile = well(server);
        let lasted = drips.into_iter().map(|drip| drip.join().unwrap()).collect();
        meanwhile.map(|()| lasted)
    })?;
    let longest = lasted.iter().max().copied().unwrap_or_default();
    expect(
        longest < Duration::from_secs(8),
        (longest, started.elapsed()),
    )
}

/// How long a connection lasts that gets a byte every 200 ms.
fn drip(address: &str, start: &str) -> Duration {
    let mut stream = TcpStream::connect(address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_millis(200)))
        .unwrap();
    let started = Instant::now();
    let _ = stream.write_all(start.as_bytes());
    while started.elapsed() < Duration::from_secs(20) {
        let mut byte = [0];
        match stream.read(&mut byte) {
            Ok(0) => break,
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                if stream.write_all(b"1").is_err() {
                    break;
                }
            }
            Err(_) => break,
        }
    }
    started.elapsed()
}

fn bombs(server: &Server) -> Result<(), String> {
    let address = server.client().address();
    let line = format!("A: {}\r\n", "x".repeat(100_000));
    let many = "A: b\r\n".repeat(5000);
    let endless = format!("A: {}", "x".repeat(4 << 20));
    for bomb in [line, many, endless] {
        let request = format!("GET /health HTTP/1.1\r\nHost: x\r\n{bomb}\r\n");
        let answer = raw(address, request.as_bytes(), Duration::from_secs(10))?;
        let status = answer.split("\r\n").next().unwrap_or("");
        let refused = answer.is_empty()
            || status.starts_with("HTTP/1.1 431")
            || status.starts_with("HTTP/1.1 400");
        expect(refused, status)?;
    }
    Ok(())
}

fn endless(server: &Server) -> Result<(), String> {
    let mut stream = TcpStream::connect(server.client().address()).unwrap();
    let head = format!("{HEAD}Transfer-Encoding: chunked\r\n\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    let chunk = format!("10000\r\n{}\r\n", " ".repeat(0x10000));
    let started = Instant::now();
    let mut sent = 0;
    while stream.write_all(chunk.as_bytes()).is_ok() {
        sent += chunk.len();
        expect(started.elapsed() < Duration::from_secs(20), sent)?;
    }
    // Four times the largest body is thrown away, so that honest clients see why; then it ends.
    expect(sent < 200 << 20, sent)
}

/// More clients than connections, more requests than places: each is answered or turned away.
fn crowd(server: &Server) -> Result<(), String> {
    let statuses: Vec<Result<u16, String>> = thread::scope(|scope| {
        let headers = [
            ("content-type", "application/json"),
            ("connection", "close"),
        ];
        let send = move || {
            let answer = server
                .client()
                .try_send("POST", "/execute", &headers, ONE)?;
            Ok(answer.status)
        };
        let clients: Vec<_> = (0..600).map(|_| scope.spawn(send)).collect();
        clients
            .into_iter()
            .map(|client| client.join().unwrap())
            .collect()
    });
    let count = |status: u16| {
        statuses
            .iter()
            .filter(|found| **found == Ok(status))
            .count()
    };
    let (good, full) = (count(200), count(503));
    let closed = statuses.iter().filter(|found| found.is_err()).count();
    expect(
        good + full + closed == 600 && good >= 50,
        (good, full, closed),
    )
}
