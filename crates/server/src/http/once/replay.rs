//! An answer, kept to be given again.

use axum::{
    body::{Body, Bytes},
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures_util::{StreamExt, stream};
use http_body_util::BodyExt;

use super::store::Answer;
use crate::http::ApiError;

/// Says that an answer is not the first of its kind.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// An answer as it was given the first time.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    status: StatusCode,
    content_type: Option<HeaderValue>,
    body: Bytes,
}

impl Kept {
    /// The answer, marked as a repetition.
    pub(super) fn response(&self) -> Response {
        let mut response = (self.status, self.body.clone()).into_response();
        let headers = response.headers_mut();
        headers.insert(REPLAYED, HeaderValue::from_static("true"));
        headers.remove(header::CONTENT_TYPE);
        if let Some(content_type) = &self.content_type {
            headers.insert(header::CONTENT_TYPE, content_type.clone());
        }
        response
    }

    pub(super) fn len(&self) -> usize {
        self.body.len()
    }
}

/// Reads an answer to be kept: 200, or 400 for what the script did. Others are passed on.
pub(super) async fn record(
    response: Response,
    largest: usize,
) -> Result<(Response, Option<Answer>), ApiError> {
    let (head, mut body) = response.into_parts();
    if !matches!(head.status, StatusCode::OK | StatusCode::BAD_REQUEST) {
        return Ok((Response::from_parts(head, body), None));
    }
    let mut read = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| ApiError::Internal(error.to_string()))?;
        if let Ok(data) = frame.into_data() {
            read.extend_from_slice(&data);
        }
        if read.len() > largest {
            let begun = stream::once(async { Ok(Bytes::from(read)) });
            let all = Body::from_stream(begun.chain(body.into_data_stream()).fuse());
            return Ok((Response::from_parts(head, all), Some(Answer::TooLarge)));
        }
    }
    let body = Bytes::from(read);
    let kept = Kept {
        status: head.status,
        content_type: head.headers.get(header::CONTENT_TYPE).cloned(),
        body: body.clone(),
    };
    Ok((
        Response::from_parts(head, body.into()),
        Some(Answer::Kept(kept)),
    ))
}
