//! Work that goes on after an answer has begun.

use std::{convert::Infallible, sync::Arc};

use axum::{extract::FromRequestParts, http::request::Parts};

use super::activity::{Activity, Running};

/// While one of these is kept, the connection counts as busy, even where no byte moves.
pub(in crate::http) struct Working(Option<Arc<Activity>>);

/// Kept by what works for a connection.
pub(in crate::http) struct Busy(
    #[expect(dead_code, reason = "its drop is what counts")] Option<Running>,
);

impl Working {
    /// Begins work that ends when what is returned is dropped.
    pub(in crate::http) fn begin(&self) -> Busy {
        Busy(self.0.as_ref().map(Activity::begin))
    }
}

impl<S: Sync> FromRequestParts<S> for Working {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        // Absent only where there is no connection, as in tests.
        Ok(Self(parts.extensions.get().cloned()))
    }
}
