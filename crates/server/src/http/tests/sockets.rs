//! The accept loop over real sockets, with a router of its own.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{Router, extract::State, routing::get};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::oneshot,
    task::JoinHandle,
    time::{sleep, timeout},
};

use crate::{
    config::{Config, ServerConfig},
    engine::Engine,
    http::{Api, router, serve},
};

const SOON: Duration = Duration::from_secs(10);

struct Server {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<()>,
}

async fn start(router: Router, change: impl FnOnce(&mut ServerConfig)) -> Server {
    let mut config = ServerConfig::default();
    change(&mut config);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel();
    let serving = tokio::spawn(async move {
        let shutdown = async move {
            let _ = stopped.await;
        };
        serve(listener, router, &config, shutdown).await;
    });
    Server {
        address,
        stop,
        serving,
    }
}

impl Server {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Sends `text` and reads until the server closes.
    async fn talk(&self, text: &str) -> String {
        let mut stream = self.connect().await;
        stream.write_all(text.as_bytes()).await.unwrap();
        read_all(&mut stream).await
    }
}

async fn read_all(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let reading = stream.read_to_end(&mut answer);
    // A reset after the answer is no concern of these tests.
    let _ = timeout(SOON, reading).await.expect("the server closes");
    String::from_utf8(answer).unwrap()
}

/// Requests under way in the handler of [`slow`].
type Running = Arc<AtomicUsize>;

struct Guard(Running);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A router whose `/slow` takes this long.
fn slow(time: Duration) -> (Router, Running) {
    let running = Running::default();
    let handler = async move |State(running): State<Running>| {
        running.fetch_add(1, Ordering::SeqCst);
        let _guard = Guard(running);
        sleep(time).await;
        "done"
    };
    let router = Router::new().route("/slow", get(handler));
    (router.with_state(Arc::clone(&running)), running)
}

async fn until(running: &Running, count: usize) {
    let started = Instant::now();
    while running.load(Ordering::SeqCst) != count {
        assert!(started.elapsed() < SOON, "still {running:?}, not {count}");
        sleep(Duration::from_millis(5)).await;
    }
}

const SLOW: &str = "GET /slow HTTP/1.1\r\nHost: x\r\n\r\n";

#[tokio::test]
async fn a_client_that_leaves_drops_its_handler() {
    let (router, running) = slow(Duration::from_mins(10));
    let server = start(router, |_| {}).await;
    let mut stream = server.connect().await;
    stream.write_all(SLOW.as_bytes()).await.unwrap();
    until(&running, 1).await;
    drop(stream);
    until(&running, 0).await;
}

#[tokio::test]
async fn shutdown_finishes_what_runs_and_closes_the_rest() {
    let (router, running) = slow(Duration::from_millis(300));
    let server = start(router, |_| {}).await;
    let mut idle = server.connect().await;
    let mut busy = server.connect().await;
    busy.write_all(SLOW.as_bytes()).await.unwrap();
    until(&running, 1).await;
    server.stop.send(()).unwrap();
    let answer = read_all(&mut busy).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.ends_with("done"), "{answer}");
    assert_eq!(read_all(&mut idle).await, "");
    timeout(SOON, server.serving).await.unwrap().unwrap();
    assert!(TcpStream::connect(server.address).await.is_err());
}

#[tokio::test]
async fn the_drain_limit_ends_what_still_runs() {
    let (router, running) = slow(Duration::from_mins(10));
    let server = start(router, |config| config.drain_seconds = 0).await;
    let mut busy = server.connect().await;
    busy.write_all(SLOW.as_bytes()).await.unwrap();
    until(&running, 1).await;
    server.stop.send(()).unwrap();
    timeout(SOON, server.serving).await.unwrap().unwrap();
    until(&running, 0).await;
}

#[tokio::test]
async fn slow_heads_and_silent_peers_are_closed() {
    let (router, _) = slow(Duration::ZERO);
    let server = start(router, |config| {
        config.header_timeout_ms = 200;
        config.body_timeout_ms = 200;
    })
    .await;
    for start in ["", "P", "GET /slow HTTP/1.1\r\nHost"] {
        let answer = server.talk(start).await;
        assert!(!answer.contains("200 OK"), "{start:?}: {answer}");
    }
}

#[tokio::test]
async fn heads_above_the_limit_are_refused() {
    let (router, _) = slow(Duration::ZERO);
    let server = start(router, |config| config.header_bytes = 8192).await;
    let bomb = format!(
        "GET /slow HTTP/1.1\r\nHost: x\r\nA: {}\r\n\r\n",
        "x".repeat(9000)
    );
    let answer = server.talk(&bomb).await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
}

#[tokio::test]
async fn connections_above_the_limit_wait() {
    let (router, _) = slow(Duration::ZERO);
    let server = start(router, |config| config.max_connections = 1).await;
    let first = server.connect().await;
    let close = "GET /slow HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let mut second = server.connect().await;
    second.write_all(close.as_bytes()).await.unwrap();
    let mut byte = [0];
    let early = timeout(Duration::from_millis(200), second.read(&mut byte)).await;
    assert!(early.is_err(), "answered while the only place was taken");
    drop(first);
    assert!(read_all(&mut second).await.ends_with("done"));
}

/// The real router with short timeouts.
async fn start_api() -> Server {
    let mut config = Config::defaults().unwrap();
    config.server.body_timeout_ms = 300;
    config.server.body_bytes = 1 << 20;
    let server = config.server.clone();
    let address = ([127, 0, 0, 1], 1).into();
    let api = Api::new(Arc::new(Engine::idle()), config, address);
    start(router(api), |config| *config = server).await
}

const HEAD: &str = "POST /execute HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n";

#[tokio::test]
async fn a_body_that_never_comes_gets_an_answer() {
    let server = start_api().await;
    let answer = server
        .talk(&format!("{HEAD}Content-Length: 9\r\n\r\n{{"))
        .await;
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    assert!(
        answer.contains("the body did not arrive within 300 ms"),
        "{answer}"
    );
}

#[tokio::test]
async fn a_client_that_sends_too_much_sees_the_refusal() {
    let server = start_api().await;
    let body = " ".repeat(3 << 20);
    let close = "Connection: close\r\n";
    for length in [
        format!("Content-Length: {}\r\n\r\n{body}", body.len()),
        format!(
            "Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\n",
            body.len()
        ),
    ] {
        let answer = server.talk(&format!("{HEAD}{close}{length}")).await;
        assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
        assert!(answer.contains("payload_too_large"), "{answer}");
    }
}

#[tokio::test]
async fn a_body_that_never_ends_is_cut_off() {
    let server = start_api().await;
    let mut stream = server.connect().await;
    let head = format!("{HEAD}Transfer-Encoding: chunked\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let chunk = format!("10000\r\n{}\r\n", " ".repeat(0x10000));
    let flood = async { while stream.write_all(chunk.as_bytes()).await.is_ok() {} };
    timeout(SOON, flood).await.expect("the server closes");
}
