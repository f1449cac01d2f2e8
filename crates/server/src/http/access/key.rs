//! A key in use, and the caller who has it.

use std::{sync::Arc, time::Instant};

use axum::{extract::FromRequestParts, http::request::Parts};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{Standing, rate::Bucket};
use crate::{
    config::{Ceilings, KeyConfig},
    execution::Client,
    http::{Api, ApiError},
};

/// A key in use.
#[derive(Debug)]
pub(super) struct Key {
    name: String,
    pub(super) digest: [u8; 32],
    bucket: Option<Bucket>,
    places: Option<(u32, Arc<Semaphore>)>,
    ceilings: Ceilings,
    environments: Option<Vec<String>>,
}

/// Whoever sent a request.
#[derive(Debug, Clone)]
pub(in crate::http) struct Caller {
    key: Option<Arc<Key>>,
    /// Where the request comes from.
    peer: Client,
}

/// One execution's place among those of its caller, free again when dropped.
#[derive(Debug)]
pub(in crate::http) struct Place {
    _permit: Option<OwnedSemaphorePermit>,
}

impl Key {
    pub(super) fn new(config: &KeyConfig) -> Option<Self> {
        let bucket = config
            .rate_per_minute
            .map(|rate| Bucket::new(rate, config.burst.unwrap_or(rate), Instant::now()));
        let places = config
            .concurrency
            .map(|most| (most, Arc::new(Semaphore::new(most as usize))));
        Some(Self {
            name: config.name.clone(),
            digest: config.digest()?,
            bucket,
            places,
            ceilings: config.ceilings(),
            environments: config.environments.clone(),
        })
    }
}

impl Caller {
    pub(super) fn anybody() -> Self {
        Self {
            key: None,
            peer: Client::default(),
        }
    }

    pub(super) fn with(key: Arc<Key>) -> Self {
        Self {
            key: Some(key),
            ..Self::anybody()
        }
    }

    /// The same, from there.
    pub(super) fn from(self, peer: Client) -> Self {
        Self { peer, ..self }
    }

    /// Among whom places are shared out: who have the key, or else who are at the address.
    pub(in crate::http) fn client(&self) -> Client {
        match &self.key {
            Some(key) => Client::Key(key.name.clone()),
            None => self.peer.clone(),
        }
    }

    /// The key's name; empty where none is needed.
    pub(in crate::http) fn name(&self) -> &str {
        self.key.as_ref().map_or("", |key| &key.name)
    }

    /// What it may set at most.
    pub(in crate::http) fn ceilings(&self) -> Ceilings {
        self.key
            .as_ref()
            .map_or(Ceilings::default(), |key| key.ceilings)
    }

    /// How it stands, where it has a rate.
    pub(in crate::http) fn standing(&self) -> Option<Standing> {
        let bucket = self.key.as_ref()?.bucket.as_ref()?;
        Some(bucket.standing(Instant::now()))
    }

    /// Counts one execution against its rate.
    pub(in crate::http) fn charge(&self) -> Result<(), ApiError> {
        let Some(bucket) = self.key.as_ref().and_then(|key| key.bucket.as_ref()) else {
            return Ok(());
        };
        bucket
            .take(Instant::now())
            .map_err(|retry_after| ApiError::RateLimited {
                problem: "more executions than this key's rate allows".to_owned(),
                retry_after,
            })
    }

    /// Refuses an environment that is not for this key.
    pub(in crate::http) fn check_environment(&self, name: &str) -> Result<(), ApiError> {
        let allowed = self.key.as_ref().and_then(|key| key.environments.as_ref());
        match allowed {
            Some(allowed) if !allowed.iter().any(|allowed| allowed == name) => {
                let allowed = allowed.join(", ");
                Err(ApiError::Forbidden(format!(
                    "this key may not use the environment {name:?}; it may use: {allowed}"
                )))
            }
            _ => Ok(()),
        }
    }

    /// A place for an execution, or a refusal where it has as many as it may.
    pub(in crate::http) fn enter(&self) -> Result<Place, ApiError> {
        let Some((most, places)) = self.key.as_ref().and_then(|key| key.places.as_ref()) else {
            return Ok(Place { _permit: None });
        };
        let permit = Arc::clone(places).try_acquire_owned();
        let permit = permit.map_err(|_| ApiError::RateLimited {
            problem: format!("this key has {most} executions under way, which is all it may have"),
            retry_after: 1,
        })?;
        Ok(Place {
            _permit: Some(permit),
        })
    }

    /// A place for an execution, as soon as there is one.
    pub(in crate::http) async fn wait(&self) -> Place {
        let places = self.key.as_ref().and_then(|key| key.places.as_ref());
        let permit = match places {
            // The semaphore is never closed.
            Some((_, places)) => Arc::clone(places).acquire_owned().await.ok(),
            None => None,
        };
        Place { _permit: permit }
    }
}

impl FromRequestParts<Api> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &Api) -> Result<Self, ApiError> {
        let caller = parts.extensions.get().cloned();
        caller.ok_or_else(|| ApiError::Internal("a path lacks its guard".to_owned()))
    }
}
