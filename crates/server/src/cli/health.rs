//! `cellblock health`: asks the server of the same configuration how it is, as a container's health
//! check does where there is no other program to ask with.

use std::{net::Ipv4Addr, process::ExitCode, time::Duration};

use http_body_util::{BodyExt, Empty};
use hyper::{Request, StatusCode, body::Bytes, client::conn::http1, header::HOST};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::{CliError, terminal};
use crate::config::{ConfigArgs, ServerConfig};

/// Time within which the whole answer must be there.
const PATIENCE: Duration = Duration::from_secs(5);

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Prints the answer of `GET /health`. Exit code 0 where the server is ready, 1 where it is not or
/// does not answer.
pub(super) async fn health(args: ConfigArgs) -> Result<ExitCode, CliError> {
    let server = args.load()?.server;
    let answer = tokio::time::timeout(PATIENCE, ask(&server)).await;
    let (status, body) = match answer {
        Ok(Ok(answer)) => answer,
        Ok(Err(error)) => return Ok(no_answer(&error.to_string())),
        Err(_) => return Ok(no_answer("it takes too long")),
    };
    terminal::print(&format!("{}\n", String::from_utf8_lossy(&body).trim_end()))?;
    Ok(ExitCode::from(u8::from(status != StatusCode::OK)))
}

fn no_answer(why: &str) -> ExitCode {
    // There is nobody left to tell where that fails too.
    let _ = terminal::print_error(&format!("cellblock: the server does not answer: {why}\n"));
    ExitCode::FAILURE
}

async fn ask(server: &ServerConfig) -> Result<(StatusCode, Bytes), Failure> {
    let stream = TcpStream::connect((reached_at(&server.host), server.port)).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // Ends with the sender; what went wrong with it the sender tells.
    tokio::spawn(connection);
    let request = Request::get("/health")
        .header(HOST, "localhost")
        .body(Empty::<Bytes>::new())?;
    let response = sender.send_request(request).await?;
    let status = response.status();
    Ok((status, response.into_body().collect().await?.to_bytes()))
}

/// A server that listens on every address is reached by that of this machine to itself.
fn reached_at(host: &str) -> String {
    match host {
        "0.0.0.0" | "::" | "" => Ipv4Addr::LOCALHOST.to_string(),
        other => other.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_includes_the_machines_own() {
        assert_eq!(reached_at("0.0.0.0"), "127.0.0.1");
        assert_eq!(reached_at("::"), "127.0.0.1");
        assert_eq!(reached_at("10.0.0.1"), "10.0.0.1");
    }
}
