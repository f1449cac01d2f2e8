//! Clients that mean harm: bounded, answered or closed, and the server is well.

use std::{
    io::{ErrorKind, Read, Write},
    net::{Shutdown, TcpStream},
    thread,
    time::{Duration, Instant},
};

use cellblock_tests::{Report, Server, Setup, eventually, matrix, raw};
use serde_json::json;

use crate::{
    expect,
    http2::{self, Wave},
};

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
    let slow_body = format!("{HEAD}Content-Length: 1000\r\n\r\n");
    let slow_chunks = format!("{HEAD}Transfer-Encoding: chunked\r\n\r\n");
    for (name, start) in [
        ("heads", "GET /health HTTP/1.1\r\nX: "),
        ("bodies", &slow_body),
        ("chunks", &slow_chunks),
    ] {
        let slow = slow(&server, start.as_bytes(), |_| b"1".to_vec());
        report.add(format!("slow {name}"), slow);
    }
    for (name, start, drop) in http2::drips() {
        let slow = slow(&server, &start, drop);
        report.add(format!("HTTP/2: slow {name}"), slow);
    }
    report.add("HTTP/2: requests taken back", taken_back(&server));
    report.add("HTTP/2: an endless head", endless_head(&server));
    report.add("bombs of headers", bombs(&server));
    report.add("endless chunks", endless(&server));
    report.add("a reader that stops", deaf(&server));
    report.add("600 at once", crowd(&server));
    report.add("the server is well", well(&server));
    server.stop(report);
}

/// Whether nothing runs or waits. On a connection of its own: the server closes those that it keeps
/// after a second here, perhaps just when they are used again.
fn free(server: &Server) -> bool {
    let close = [("connection", "close")];
    let answer = server.client().try_send("GET", "/metrics", &close, b"");
    let text = answer.map(|answer| answer.text()).unwrap_or_default();
    text.contains("\ncellblock_running 0\n") && text.contains("\ncellblock_waiting 0\n")
}

fn well(server: &Server) -> Result<(), String> {
    let headers = [
        ("content-type", "application/json"),
        ("connection", "close"),
    ];
    let answer = server.client().send("POST", "/execute", &headers, ONE);
    expect(answer.status == 200, answer.shown())?;
    expect(answer.took < Duration::from_secs(5), answer.took)
}

/// Sends a drop now and then on many connections. Each is closed in time, and meanwhile others are
/// served.
fn slow(server: &Server, start: &[u8], drop: Wave) -> Result<(), String> {
    let address = server.client().address();
    let started = Instant::now();
    let lasted: Vec<_> = thread::scope(|scope| {
        let drips: Vec<_> = (0..50)
            .map(|_| scope.spawn(|| drip(address, start, drop)))
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

/// How long a connection lasts that gets a drop every 200 ms.
fn drip(address: &str, start: &[u8], drop: Wave) -> Duration {
    let mut drops = (0..).map(drop);
    let mut stream = TcpStream::connect(address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_millis(200)))
        .unwrap();
    let started = Instant::now();
    let _ = stream.write_all(start);
    while started.elapsed() < Duration::from_secs(20) {
        match stream.read(&mut [0; 4096]) {
            Ok(0) => break,
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                let drop = drops.next().unwrap_or_default();
                if stream.write_all(&drop).is_err() {
                    break;
                }
            }
            Err(_) => break,
        }
    }
    started.elapsed()
}

/// Sends waves on one connection of HTTP/2 until it is closed; how many were taken, of 20 000.
fn flood(server: &Server, wave: Wave) -> usize {
    let mut stream = TcpStream::connect(server.client().address()).unwrap();
    // Answers are read, so that nothing but the server's own limits ends this.
    let mut answers = stream.try_clone().unwrap();
    let reader = thread::spawn(move || std::io::copy(&mut answers, &mut std::io::sink()));
    stream.write_all(&http2::beginning()).unwrap();
    let waves = (0..20_000).take_while(|n| stream.write_all(&wave(*n)).is_ok());
    let taken = waves.count();
    // It may be closed already.
    let _ = stream.shutdown(Shutdown::Both);
    let _ = reader.join();
    taken
}

/// Each request that is taken back is forgotten: all the others find the server well meanwhile.
fn taken_back(server: &Server) -> Result<(), String> {
    let well = thread::scope(|scope| {
        let flood = scope.spawn(|| flood(server, http2::taken_back));
        let well: Vec<_> = (0..20).map(|_| well(server)).collect();
        well.into_iter()
            .collect::<Result<(), _>>()
            .map(|()| flood.join().unwrap())
    });
    let taken = well?;
    expect(eventually(Duration::from_secs(5), || free(server)), taken)
}

/// It ends long before the 300 MB that would come.
fn endless_head(server: &Server) -> Result<(), String> {
    let taken = flood(server, http2::part_of_a_head);
    expect(taken < 2000, taken)?;
    well(server)
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

/// Asks for far more than a connection holds, and reads none of it: what runs ends, the connection
/// is closed, and no place stays taken.
fn deaf(server: &Server) -> Result<(), String> {
    let item = json!({ "script": "def main(): return 'x' * 900000" });
    let body = json!({ "executions": vec![item; 100] }).to_string();
    let mut stream = server.client().begin("/v1/executions:batch", &body);
    thread::sleep(Duration::from_secs(1));
    expect(
        eventually(Duration::from_secs(20), || free(server)),
        "places stay taken",
    )?;
    well(server)?;
    thread::sleep(Duration::from_secs(4));
    stream
        .set_read_timeout(Some(Duration::from_secs(5)))
        .unwrap();
    let mut read = 0;
    let mut buffer = vec![0; 1 << 20];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => break,
            Ok(some) => read += some,
            Err(error) if error.kind() == ErrorKind::ConnectionReset => break,
            Err(error) => return Err(format!("still open after {read} bytes: {error}")),
        }
    }
    expect((1_000_000..60_000_000).contains(&read), read)
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
        good + full + closed == 600 && good > 0,
        (good, full, closed),
    )
}
