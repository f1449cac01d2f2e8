//! One client alone, that does next to nothing but write and read.
//!
//! One client with pauses measures a latency in which its own part counts: a client that is built to
//! serve many at once takes 0.05 ms and more for each exchange, with cold caches, beside half a
//! millisecond of what is measured.

use std::{
    io::{Read, Write},
    net::TcpStream,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};

use crate::load::{Load, Order, Until};

/// More than any answer that is measured; a larger one is refused.
const MOST: usize = 4 << 20;
/// Lines of an answer's head.
const HEADERS: usize = 32;

/// Sends its next request when it has the answer. The connection is made before the clock starts.
pub fn run(order: &Order, until: Until) -> Result<Load> {
    let mut client = Client::connect(order)?;
    let mut load = Load::default();
    let started = Instant::now();
    for _ in (0..).take_while(|sent| until.goes_on(*sent, started)) {
        let verdict = client.exchange(order);
        load.note(&verdict, started.elapsed());
        if verdict.is_err() {
            // A connection that failed would fail for ever.
            break;
        }
        thread::sleep(order.think);
    }
    Ok(load)
}

struct Client {
    stream: TcpStream,
    request: Vec<u8>,
    answer: Vec<u8>,
}

impl Client {
    fn connect(order: &Order) -> Result<Self> {
        let stream = TcpStream::connect(order.address)?;
        stream.set_nodelay(true)?;
        let (method, path, host) = (&order.method, order.path, order.address);
        let length = order.body.len();
        let mut request = format!(
            "{method} {path} HTTP/1.1\r\nhost: {host}\r\n\
             content-type: application/json\r\ncontent-length: {length}\r\n\r\n"
        )
        .into_bytes();
        request.extend_from_slice(&order.body);
        Ok(Self {
            stream,
            request,
            answer: vec![0; MOST],
        })
    }

    /// From before the request to after the last byte of the answer.
    fn exchange(&mut self, order: &Order) -> Result<Duration> {
        let started = Instant::now();
        self.stream.write_all(&self.request)?;
        let (status, body) = self.read()?;
        let took = started.elapsed();
        ensure!(
            status == 200 && order.expected.as_ref().is_none_or(|it| it == body),
            "{}: status {status}, or another body than expected",
            order.path
        );
        Ok(took)
    }

    /// The answer's status and its body.
    fn read(&mut self) -> Result<(u16, &[u8])> {
        let (mut end, mut head) = (0, None);
        loop {
            let length = self.stream.read(&mut self.answer[end..])?;
            ensure!(length > 0, "the answer is cut, or too long");
            end += length;
            if head.is_none() {
                head = Head::parse(&self.answer[..end])?;
            }
            if let Some(Head { status, body, .. }) = head.filter(|head| head.end <= end) {
                return Ok((status, &self.answer[body..end]));
            }
        }
    }
}

/// Where an answer's body is.
#[derive(Clone, Copy)]
struct Head {
    status: u16,
    body: usize,
    end: usize,
}

impl Head {
    /// Nothing until all of it has come.
    fn parse(answer: &[u8]) -> Result<Option<Self>> {
        let mut headers = [httparse::EMPTY_HEADER; HEADERS];
        let mut response = httparse::Response::new(&mut headers);
        let httparse::Status::Complete(body) = response.parse(answer)? else {
            return Ok(None);
        };
        let mut headers = response.headers.iter();
        let Some(length) =
            headers.find(|header| header.name.eq_ignore_ascii_case("content-length"))
        else {
            bail!("an answer without a length");
        };
        let length: usize = std::str::from_utf8(length.value)?.parse()?;
        Ok(Some(Self {
            status: response.code.context("a head has a status")?,
            body,
            end: body + length,
        }))
    }
}
