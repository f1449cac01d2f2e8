//! Request ids: the client's own where it sent a sane one, else a new one; always returned.

use axum::{
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue},
    response::Response,
};
use uuid::Uuid;

const HEADER: HeaderName = HeaderName::from_static("x-request-id");
/// Longest id that is taken from a client, in bytes: it is repeated in every log line.
const MAX_LEN: usize = 128;

/// The id of a request, to be found in its extensions.
#[derive(Debug, Clone)]
pub(super) struct RequestId(pub(super) String);

/// Gives the request its id, and returns what shows it in the answer.
pub(super) fn assign(request: &mut Request) -> impl FnOnce(&mut Response) + use<> {
    let id = sane(request.headers()).unwrap_or_else(|| Uuid::now_v7().to_string());
    let value = HeaderValue::from_str(&id);
    request.extensions_mut().insert(RequestId(id));
    move |response| {
        if let Ok(value) = value {
            response.headers_mut().insert(HEADER, value);
        }
    }
}

/// The client's id, if it is one that cannot confuse a log.
fn sane(headers: &HeaderMap) -> Option<String> {
    let id = headers.get(HEADER)?.to_str().ok()?;
    let fine = (1..=MAX_LEN).contains(&id.len())
        && id
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-_.:+/=".contains(&b));
    fine.then(|| id.to_owned())
}
