//! An HTTP client of one kept-alive connection, made to cost little beside what it measures.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Method, Request, client::conn::http1::SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// One connection.
#[derive(Debug)]
pub struct Client {
    sender: SendRequest<Full<Bytes>>,
    host: String,
}

/// What a request came to, without its body.
#[derive(Debug, Clone, Copy)]
pub struct Exchange {
    /// The status.
    pub status: u16,
    /// From before the request to after the last byte of the answer.
    pub took: Duration,
}

impl Client {
    /// Connects.
    pub async fn connect(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        // Ends with the connection, whose failure the requests on it tell.
        tokio::spawn(connection);
        Ok(Self {
            sender,
            host: address.to_string(),
        })
    }

    /// Sends a request and shows the answer's body, piece by piece, to `sink`.
    pub async fn exchange(
        &mut self,
        method: Method,
        path: &str,
        body: Bytes,
        mut sink: impl FnMut(&[u8]),
    ) -> Result<Exchange> {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", &self.host)
            .header("content-type", "application/json")
            .body(Full::new(body))?;
        let started = Instant::now();
        let mut response = self.sender.send_request(request).await?;
        while let Some(frame) = response.body_mut().frame().await {
            if let Some(data) = frame?.data_ref() {
                sink(data);
            }
        }
        Ok(Exchange {
            status: response.status().as_u16(),
            took: started.elapsed(),
        })
    }

    /// Sends a request and keeps the answer's body.
    pub async fn send(
        &mut self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<(Exchange, Vec<u8>)> {
        let mut kept = Vec::new();
        let exchange = self
            .exchange(method, path, body, |part| kept.extend_from_slice(part))
            .await?;
        Ok((exchange, kept))
    }

    /// Waits until another request can be sent: whether the connection still stands.
    pub async fn is_open(&mut self) -> bool {
        self.sender.ready().await.is_ok()
    }
}

/// Connects, sends one request, and keeps the answer's body. For threads without a runtime.
pub fn once(
    address: SocketAddr,
    method: Method,
    path: &str,
    body: Bytes,
) -> Result<(Exchange, Vec<u8>)> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let mut client = Client::connect(address).await.context("cannot connect")?;
        client.send(method, path, body).await
    })
}
