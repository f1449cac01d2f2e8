//! Who asks, and how much they may ask for.

mod guard;
mod key;
mod rate;

use std::sync::Arc;

use axum::http::{HeaderMap, header};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use self::key::Key;
pub(super) use self::{
    guard::{authenticate, charge},
    key::{Caller, Place},
    rate::Standing,
};
use super::ApiError;
use crate::config::KeyConfig;

/// The keys there are. Without any, whoever reaches the server may use it.
#[derive(Debug)]
pub(super) struct Access {
    keys: Vec<Arc<Key>>,
}

impl Access {
    pub(super) fn new(keys: &[KeyConfig]) -> Self {
        let keys = keys.iter().filter_map(Key::new).map(Arc::new).collect();
        Self { keys }
    }

    /// Whether anybody may call.
    pub(super) fn is_open(&self) -> bool {
        self.keys.is_empty()
    }

    /// Whose key the request has.
    fn caller(&self, headers: &HeaderMap) -> Result<Caller, ApiError> {
        if self.is_open() {
            return Ok(Caller::anybody());
        }
        let presented = presented(headers).ok_or(ApiError::Unauthorized(
            "a key is needed: send it as Authorization: Bearer KEY, or as X-API-Key: KEY",
        ))?;
        let digest: [u8; 32] = Sha256::digest(presented).into();
        // All are compared, in full, so that the time taken says nothing of which came near.
        let mut found = None;
        for key in &self.keys {
            if bool::from(key.digest.ct_eq(&digest)) {
                found = Some(Arc::clone(key));
            }
        }
        let key = found.ok_or(ApiError::Unauthorized("this server does not know that key"))?;
        Ok(Caller::with(key))
    }
}

/// The key in a request: `Authorization` counts before `X-API-Key`.
fn presented(headers: &HeaderMap) -> Option<&[u8]> {
    if let Some(value) = headers.get(header::AUTHORIZATION) {
        let (scheme, key) = value.to_str().ok()?.split_once(' ')?;
        return scheme
            .eq_ignore_ascii_case("bearer")
            .then(|| key.trim().as_bytes());
    }
    headers
        .get("x-api-key")
        .map(axum::http::HeaderValue::as_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::key_digest;

    fn ask(access: &Access, name: &'static str, value: &str) -> Result<Caller, ApiError> {
        let mut headers = HeaderMap::new();
        headers.insert(name, value.parse().unwrap());
        access.caller(&headers)
    }

    #[test]
    fn only_a_known_key_opens() {
        let access = Access::new(&[
            KeyConfig::new("a", key_digest("first")),
            KeyConfig::new("b", key_digest("second")),
        ]);
        for (header, value, name) in [
            ("authorization", "Bearer first", "a"),
            ("authorization", "bearer  second", "b"),
            ("x-api-key", "second", "b"),
        ] {
            assert_eq!(ask(&access, header, value).unwrap().name(), name, "{value}");
        }
        for (header, value) in [
            ("authorization", "first"),
            ("authorization", "Basic first"),
            ("authorization", "Bearer "),
            ("x-api-key", "firs"),
            ("x-api-key", ""),
            ("cookie", "first"),
        ] {
            let refused = ask(&access, header, value).unwrap_err();
            assert!(matches!(refused, ApiError::Unauthorized(_)), "{value}");
        }
        assert_eq!(
            ask(&Access::new(&[]), "x-api-key", "any").unwrap().name(),
            ""
        );
    }
}
