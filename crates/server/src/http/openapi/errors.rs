//! Every error there is, with an example, and where each can be met.

use std::collections::BTreeMap;

use serde_json::json;
use utoipa::{
    Modify,
    openapi::{
        ContentBuilder, Header, OpenApi, Ref, RefOr, Response, ResponseBuilder, Schema,
        example::ExampleBuilder,
        path::Operation,
        schema::{AnyOfBuilder, ObjectBuilder, Type},
    },
};

use crate::{
    execution::{ErrorType, Failure},
    http::status,
};

/// Adds the answers with errors to every operation that can give them.
pub(super) struct Errors;

impl Modify for Errors {
    fn modify(&self, document: &mut OpenApi) {
        for (path, item) in &mut document.paths.paths {
            let runs = item.post.is_some();
            for operation in [&mut item.get, &mut item.post].into_iter().flatten() {
                let open = operation.security.is_some();
                add(operation, path == "/execute", runs, open);
            }
        }
        // These belong to what is not described.
        let responses = &mut document.components.get_or_insert_default().responses;
        for kind in [ErrorType::NotFound, ErrorType::MethodNotAllowed] {
            responses.insert(kind.name().to_owned(), RefOr::T(response(&[kind], false)));
        }
    }
}

fn add(operation: &mut Operation, simple: bool, runs: bool, open: bool) {
    let mut by_status = BTreeMap::<u16, Vec<ErrorType>>::new();
    for kind in ErrorType::ALL {
        if happens(kind, simple, runs, open) {
            by_status
                .entry(status::of(kind).as_u16())
                .or_default()
                .push(kind);
        }
    }
    for (status, kinds) in by_status {
        let responses = &mut operation.responses.responses;
        let response = RefOr::T(response(&kinds, simple));
        responses.entry(status.to_string()).or_insert(response);
    }
}

/// Whether an operation answers with this error: what a script does is one for `/execute` only.
fn happens(kind: ErrorType, simple: bool, runs: bool, open: bool) -> bool {
    match kind {
        ErrorType::NotFound | ErrorType::MethodNotAllowed => false,
        ErrorType::Unauthorized => !open,
        ErrorType::Internal => true,
        ErrorType::InvalidRequest
        | ErrorType::Forbidden
        | ErrorType::PayloadTooLarge
        | ErrorType::UnsupportedMediaType
        | ErrorType::RateLimited
        | ErrorType::Overloaded => runs,
        _ => simple,
    }
}

fn response(kinds: &[ErrorType], simple: bool) -> Response {
    let mut content = ContentBuilder::new().schema(Some(schema(kinds, simple)));
    for kind in kinds {
        let body = json!({ "error": example(*kind) });
        let body = if by_script(*kind) {
            json!({ "error": body["error"], "stdout": "what was printed until then", "stderr": "" })
        } else {
            body
        };
        let example = ExampleBuilder::new().value(Some(body)).build();
        content = content.examples_from_iter([(kind.name(), example)]);
    }
    let names = kinds.iter().map(|kind| format!("`{}`", kind.name()));
    let description = names.collect::<Vec<_>>().join(", ");
    let response = ResponseBuilder::new().description(description);
    let response = headers(response, kinds[0]);
    response
        .content("application/json", content.build())
        .build()
}

fn headers(response: ResponseBuilder, kind: ErrorType) -> ResponseBuilder {
    let header = |kind, text: &str| {
        let mut header = Header::new(ObjectBuilder::new().schema_type(kind));
        header.description = Some(text.to_owned());
        header
    };
    match kind {
        ErrorType::Unauthorized => {
            response.header("WWW-Authenticate", header(Type::String, "`Bearer`."))
        }
        ErrorType::RateLimited => response
            .header("Retry-After", header(Type::Integer, "Seconds."))
            .header("RateLimit", header(Type::String, "What the key has left."))
            .header(
                "RateLimit-Policy",
                header(Type::String, "What it is granted."),
            ),
        ErrorType::Overloaded => response.header("Retry-After", header(Type::Integer, "Seconds.")),
        _ => response,
    }
}

fn schema(kinds: &[ErrorType], simple: bool) -> RefOr<Schema> {
    let plain = Ref::from_schema_name("ErrorBody");
    if !simple || !kinds.iter().any(|kind| by_script(*kind)) {
        return plain.into();
    }
    let either = AnyOfBuilder::new()
        .item(Ref::from_schema_name("Failed"))
        .item(plain);
    RefOr::T(Schema::AnyOf(either.build()))
}

/// Whether the error is the script's, so that there is output to show.
fn by_script(kind: ErrorType) -> bool {
    status::of(kind) == 400 && kind != ErrorType::InvalidRequest
}

/// One of each, as a client would see it.
fn example(kind: ErrorType) -> Failure {
    let failure = Failure::new(kind, message(kind));
    let (line, traceback) = (Some(3), |text: &str| Some(text.to_owned()));
    match kind {
        ErrorType::SyntaxError => Failure {
            line,
            column: Some(9),
            ..failure
        },
        ErrorType::Exception => Failure {
            line,
            traceback: traceback(
                "Traceback (most recent call last):\n  File \"script.py\", line 3, in main\n    \
                 return 1 / 0\nZeroDivisionError: division by zero\n",
            ),
            ..failure
        },
        ErrorType::RestrictedImport => Failure {
            line,
            module: Some("socket".to_owned()),
            ..failure
        },
        ErrorType::ResultNotJson => Failure {
            path: Some("$.rows[3].when".to_owned()),
            hint: Some("call .isoformat()".to_owned()),
            ..failure
        },
        ErrorType::Exited => Failure {
            exit_code: Some(3),
            ..failure
        },
        ErrorType::Crashed => Failure {
            signal: Some("SIGSEGV".to_owned()),
            ..failure
        },
        _ => failure,
    }
}

fn message(kind: ErrorType) -> &'static str {
    match kind {
        ErrorType::InvalidRequest => {
            "limits.timeout_ms: 90000 is above this server's maximum of 60000"
        }
        ErrorType::SyntaxError => "SyntaxError: invalid syntax",
        ErrorType::MissingMain => "the script defines no function main()",
        ErrorType::Exception => "ZeroDivisionError: division by zero",
        ErrorType::RestrictedImport => {
            "import of 'socket' is restricted: there is no network in a sandbox; send what the \
             script needs as `input` or in `files`"
        }
        ErrorType::ResultNotJson => "$.rows[3].when: a datetime is not JSON",
        ErrorType::ResultTooLarge => "the result is larger than the limit of 8388608 bytes",
        ErrorType::Timeout => "the script ran longer than its limit of 10000 ms",
        ErrorType::CpuLimit => "the script used more than its limit of 10000 ms of CPU time",
        ErrorType::MemoryLimit => "the script used more than its limit of 256 MB of memory",
        ErrorType::Exited => "the script ended its process with exit code 3 before it had answered",
        ErrorType::Crashed => "the script's process was ended by SIGSEGV",
        ErrorType::Unauthorized => "this server does not know that key",
        ErrorType::Forbidden => "this key may not use the environment \"ml\"; it may use: default",
        ErrorType::NotFound => "no such path; POST a script to /execute",
        ErrorType::MethodNotAllowed => "this path does not take that method; see the Allow header",
        ErrorType::PayloadTooLarge => "the body is above this server's maximum of 16777216 bytes",
        ErrorType::UnsupportedMediaType => "Content-Type is not JSON; send application/json",
        ErrorType::RateLimited => "more executions than this key's rate allows; try again in 2 s",
        ErrorType::Overloaded => "no room now; try again",
        ErrorType::Internal => {
            "the server failed; its log has the cause under this request's x-request-id"
        }
    }
}
