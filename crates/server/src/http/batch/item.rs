//! One execution of a batch.

use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::{
    execution::{Failure, Outcome, Record, Status, parse},
    http::{Api, ApiError, access::Caller, body::validate, connection::Working, executions::show},
};

/// What every item of a batch has.
pub(super) struct Context {
    pub(super) api: Api,
    pub(super) caller: Caller,
    pub(super) working: Working,
}

/// A record with its place in the request, or why there is none.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = BatchItem)]
pub(super) enum Item<'a> {
    /// The run was started. Only described: what is sent is the record's own text.
    #[schema(title = "Started")]
    #[expect(dead_code, reason = "only described")]
    Started {
        /// Place in the request, from 0.
        index: usize,
        /// The record.
        #[serde(flatten)]
        record: Record<'a>,
    },
    /// It was not.
    #[schema(title = "NotStarted")]
    NotStarted {
        /// Place in the request, from 0.
        index: usize,
        /// Always `failed`.
        status: Status,
        /// Why.
        error: Failure,
    },
}

impl Context {
    /// Runs an item. Whatever becomes of it is one line of JSON.
    pub(super) async fn run(&self, index: usize, item: &RawValue) -> String {
        let _busy = self.working.begin();
        let text = match self.execute(item).await {
            // The record's own text, so that its numbers keep every digit.
            Ok(record) => record.replacen('{', &format!("{{\"index\":{index},"), 1),
            Err(error) => {
                self.api.metrics.reject(error.kind());
                let item = Item::NotStarted {
                    index,
                    status: Status::Failed,
                    error: error.into_failure(),
                };
                serde_json::to_string(&item).unwrap_or_default()
            }
        };
        // A line break in JSON stands between tokens, never in a string.
        text.replace(['\n', '\r'], " ")
    }

    async fn execute(&self, item: &RawValue) -> Result<String, ApiError> {
        self.caller.charge()?;
        let draft = parse(item.get().as_bytes())?;
        let mut request = validate(draft, &self.caller, &self.api)?;
        request.measure = true;
        let environment = request.environment.clone();
        let place = self.caller.wait().await;
        let outcome: Outcome = self.api.run(request).await?;
        drop(place);
        show(&self.api, &outcome, &environment)
    }
}
