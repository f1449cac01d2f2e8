//! `POST /execute`: the simple contract.

use axum::{extract::State, http::StatusCode, response::Response};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::{Api, ApiError, access::Caller, body::Posted, error::json, status};
use crate::execution::{Draft, Failure, Outcome, Truncated};

/// Two fields where `main()` returned JSON; a third where something of it is missing.
#[derive(Serialize, ToSchema)]
struct Success<'a> {
    /// What `main()` returned.
    #[schema(value_type = Value)]
    result: &'a RawValue,
    /// What the script printed.
    stdout: &'a str,
    /// The streams of which more was written than is shown; absent where there is none.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    #[schema(required = false)]
    truncated: &'a [Truncated],
}

/// Why there is no result, and what was printed until then.
#[derive(Serialize, ToSchema)]
pub(super) struct Failed<'a> {
    /// What went wrong.
    error: &'a Failure,
    /// What the script printed until then.
    stdout: &'a str,
    /// What it wrote to standard error until then.
    stderr: &'a str,
    /// The streams of which more was written than is shown; absent where there is none.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    #[schema(required = false)]
    truncated: &'a [Truncated],
}

/// Run a script
///
/// The simple form: 200 with what `main()` returned and what was printed, 400 where there is no such
/// thing.
#[utoipa::path(
    post,
    path = "/execute",
    tag = "Executions",
    operation_id = "execute",
    request_body = Draft,
    responses((
        status = 200,
        description = "`main()` returned JSON.",
        body = Success,
        example = json!({"result": {"message": "Hello from sandbox!"}, "stdout": ""})
    ))
)]
pub(super) async fn execute(
    State(api): State<Api>,
    caller: Caller,
    posted: Posted,
) -> Result<Response, ApiError> {
    let work = async {
        let request = posted.request(&caller, &api)?;
        let _place = caller.enter()?;
        let outcome = api.run(request).await?;
        Ok(answer(&outcome))
    };
    api.once.answer(&caller, &posted, work).await
}

fn answer(outcome: &Outcome) -> Response {
    let (stdout, stderr) = (&outcome.stdout, &outcome.stderr);
    match &outcome.result {
        Ok(result) => {
            let truncated = among(outcome, &[Truncated::Stdout]);
            let success = Success {
                result,
                stdout,
                truncated: &truncated,
            };
            json(StatusCode::OK, &success)
        }
        Err(error) => {
            let truncated = among(outcome, &[Truncated::Stdout, Truncated::Stderr]);
            let failed = Failed {
                error,
                stdout,
                stderr,
                truncated: &truncated,
            };
            json(status::of(error.kind), &failed)
        }
    }
}

/// What is cut of the parts that this answer has: a flood on stderr does not concern those who asked
/// for two fields only.
fn among(outcome: &Outcome, parts: &[Truncated]) -> Vec<Truncated> {
    let cut = outcome.truncated.iter().copied();
    cut.filter(|part| parts.contains(part)).collect()
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;

    use super::*;
    use crate::execution::{ErrorType, Usage};

    fn outcome(result: Result<&str, Failure>, truncated: &[Truncated]) -> Outcome {
        Outcome {
            result: result.map(|text| RawValue::from_string(text.to_owned()).unwrap()),
            stdout: "é\n".to_owned(),
            stderr: "warned".to_owned(),
            truncated: truncated.to_vec(),
            files: Vec::new(),
            missing: Vec::new(),
            usage: Usage::default(),
        }
    }

    async fn shown(outcome: &Outcome) -> (u16, String) {
        let response = answer(outcome);
        let status = response.status().as_u16();
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn a_success_has_exactly_two_fields() {
        let text = r#"{"z":123456789012345678901234567890,"a":[1.50,null]}"#;
        let (status, body) = shown(&outcome(Ok(text), &[])).await;
        assert_eq!(status, 200);
        assert_eq!(body, format!(r#"{{"result":{text},"stdout":"é\n"}}"#));
        let (_, body) = shown(&outcome(Ok("1"), &[Truncated::Stderr])).await;
        assert_eq!(body, r#"{"result":1,"stdout":"é\n"}"#);
    }

    #[tokio::test]
    async fn what_is_missing_is_said() {
        let (_, body) = shown(&outcome(Ok("null"), &[Truncated::Stdout])).await;
        assert_eq!(
            body,
            r#"{"result":null,"stdout":"é\n","truncated":["stdout"]}"#
        );
    }

    #[tokio::test]
    async fn a_failure_is_a_400_with_both_streams() {
        let mut failure = Failure::new(ErrorType::Timeout, "the script ran longer than 10 ms");
        failure.line = Some(3);
        let cut = [Truncated::Stderr, Truncated::Files];
        let (status, body) = shown(&outcome(Err(failure), &cut)).await;
        assert_eq!(status, 400);
        assert_eq!(
            body,
            r#"{"error":{"type":"timeout","message":"the script ran longer than 10 ms","line":3},"stdout":"é\n","stderr":"warned","truncated":["stderr"]}"#
        );
    }
}
