//! `Idempotency-Key`: what was asked for twice is done once. draft-ietf-httpapi-idempotency-key-header

mod replay;
mod store;

use std::time::Duration;

use axum::{http::HeaderName, response::Response};
use sha2::{Digest, Sha256};

use self::store::{Answer, Store};
use super::{ApiError, access::Caller, body::Posted};
use crate::{config::ServerConfig, execution::InvalidRequest};

/// The request's header.
pub(super) const HEADER: HeaderName = HeaderName::from_static("idempotency-key");
/// Longest key in bytes.
const MAX_KEY: usize = 255;

/// The answers that are kept for those who ask again.
#[derive(Debug)]
pub(super) struct Once {
    store: Store,
    largest: usize,
}

impl Once {
    pub(super) fn new(config: &ServerConfig) -> Self {
        let bytes = usize::try_from(config.idempotency_bytes).unwrap_or(usize::MAX);
        let age = Duration::from_secs(config.idempotency_seconds);
        Self {
            store: Store::new(bytes, age),
            largest: bytes / 4,
        }
    }

    /// The answer that `work` makes, or the one that it made when the same was asked for before.
    /// Who asks while the first is being answered waits for that.
    ///
    /// Only what ran is kept: who was turned away may try again under the same key.
    pub(super) async fn answer(
        &self,
        caller: &Caller,
        posted: &Posted,
        work: impl Future<Output = Result<Response, ApiError>>,
    ) -> Result<Response, ApiError> {
        let Some(key) = &posted.once else {
            return work.await;
        };
        if key.is_empty() || key.len() > MAX_KEY {
            return Err(refused(&format!("has to have 1 to {MAX_KEY} bytes")));
        }
        let name = (caller.name().to_owned(), key.clone());
        let Some(mut turn) = self.store.turn(name, fingerprint(posted)).await else {
            return Err(refused("was used for another request"));
        };
        match turn.answer() {
            Some(Answer::Kept(kept)) => return Ok(kept.response()),
            Some(Answer::TooLarge) => {
                return Err(refused(
                    "was used for this request already; it was carried out, and its answer was too \
                     large to be kept",
                ));
            }
            None => {}
        }
        let (response, answer) = replay::record(work.await?, self.largest).await?;
        if let Some(answer) = answer {
            turn.keep(answer);
        }
        Ok(response)
    }
}

fn refused(problem: &str) -> ApiError {
    InvalidRequest::field("Idempotency-Key", problem).into()
}

fn fingerprint(posted: &Posted) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update((posted.path.len() as u64).to_le_bytes());
    hash.update(&posted.path);
    hash.update(&posted.bytes);
    hash.finalize().into()
}
