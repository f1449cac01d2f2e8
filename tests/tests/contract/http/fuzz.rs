//! Bodies that are nearly right, at random: each is answered, and none is the server's fault.

use cellblock_tests::{Report, Server};
use proptest::{
    prelude::*,
    test_runner::{Config, TestCaseError, TestRunner},
};

/// Bodies to send.
const CASES: u32 = 300;

const VALID: &str = r#"{"script": "def main(x=None):\n    print(x)\n    return x\n", "input": {"a": [1, -2.5e3, "é\u00e9", null, true]},
"stdin": "in", "env": {"A": "b"}, "files": [{"path": "a/b", "text": "t"}, {"path": "c", "content": "AP8="}],
"output_files": ["*", "**/x"], "limits": {"timeout_ms": 900, "cpu_ms": 800, "memory_mb": 64}, "environment": "default"}"#;

const PIECES: [&str; 24] = [
    "{",
    "}",
    "[",
    "]",
    "\"",
    ",",
    ":",
    "null",
    "true",
    "-1",
    "0",
    "1e999",
    "99999999999999999999",
    "\\u0000",
    "\\ud800",
    "\\",
    "\0",
    "\u{feff}",
    "\u{10ffff}",
    "..",
    "/",
    "\\n",
    " ",
    "script",
];

/// One change at a place that is given as a fraction of the body.
#[derive(Debug, Clone)]
enum Change {
    Insert(f64, usize),
    Replace(f64, u8),
    Delete(f64, usize),
    Repeat(f64, usize),
    Cut(f64),
}

fn change() -> impl Strategy<Value = Change> {
    let place = 0.0..1.0_f64;
    prop_oneof![
        (place.clone(), 0..PIECES.len()).prop_map(|(at, piece)| Change::Insert(at, piece)),
        (place.clone(), any::<u8>()).prop_map(|(at, byte)| Change::Replace(at, byte)),
        (place.clone(), 1..20_usize).prop_map(|(at, len)| Change::Delete(at, len)),
        (place.clone(), 1..60_usize).prop_map(|(at, len)| Change::Repeat(at, len)),
        place.prop_map(Change::Cut),
    ]
}

fn apply(body: &mut Vec<u8>, change: &Change) {
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        reason = "a place in a body of a kilobyte"
    )]
    let place = |fraction: f64| (fraction * body.len() as f64) as usize;
    match *change {
        Change::Insert(at, piece) => {
            let at = place(at);
            body.splice(at..at, PIECES[piece].bytes());
        }
        Change::Replace(at, byte) => {
            let at = place(at);
            if let Some(old) = body.get_mut(at) {
                *old = byte;
            }
        }
        Change::Delete(at, len) => {
            let at = place(at);
            let end = (at + len).min(body.len());
            body.drain(at..end);
        }
        Change::Repeat(at, len) => {
            let at = place(at);
            let end = (at + len).min(body.len());
            let part = body[at..end].to_vec();
            body.splice(at..at, part);
        }
        Change::Cut(at) => body.truncate(place(at)),
    }
}

pub(super) fn check(server: &Server, report: &mut Report) {
    let answer = server.client().post("/execute", VALID.as_bytes());
    report.check("unchanged", answer.status == 200, answer.shown());
    let config = Config {
        cases: CASES,
        failure_persistence: None,
        ..Config::default()
    };
    let changes = proptest::collection::vec(change(), 1..4);
    let outcome = TestRunner::new(config).run(&changes, |changes| {
        let mut body = VALID.as_bytes().to_vec();
        for change in &changes {
            apply(&mut body, change);
        }
        judge(server, &body)
    });
    report.add("random bodies", outcome.map_err(|error| error.to_string()));
}

fn judge(server: &Server, body: &[u8]) -> Result<(), TestCaseError> {
    let json = [("content-type", "application/json")];
    let answer = server.client().try_send("POST", "/execute", &json, body);
    let answer = answer.map_err(TestCaseError::fail)?;
    let shown = || format!("{:?}: {}", String::from_utf8_lossy(body), answer.shown());
    prop_assert!(matches!(answer.status, 200 | 400), "{}", shown());
    let parsed = answer.json();
    let expected = if answer.status == 200 {
        "result"
    } else {
        "error"
    };
    prop_assert!(parsed.get(expected).is_some(), "{}", shown());
    Ok(())
}
