//! Bodies that are no request: 400, and a message that names the field or the place.

use cellblock_tests::{Report, Server, Text, is_error};

use super::oversized;

pub(super) fn check(server: &Server, report: &mut Report) {
    let client = server.client();
    for (body, message) in BODIES {
        judge(server, report, body.as_bytes(), message);
    }
    for (fields, message) in FIELDS {
        let body = format!(r#"{{"script": "def main(): return 1", {fields}}}"#);
        judge(server, report, body.as_bytes(), message);
    }
    for path in PATHS {
        let fields = format!(r#""files": [{{"path": "{path}", "text": ""}}]"#);
        let body = format!(r#"{{"script": "def main(): return 1", {fields}}}"#);
        judge(server, report, body.as_bytes(), "files[0].path: ");
    }
    judge(
        server,
        report,
        b"{\"script\": \"\xff\"}",
        "not UTF-8: bad byte at offset 12",
    );
    judge(server, report, b"\xff\xfe{\0}\0", "not UTF-8");
    for (body, message) in oversized::bodies() {
        judge(server, report, body.as_bytes(), message);
    }
    let longest = format!(
        r#"{{"script": "def main(): return 1 #{}"}}"#,
        "x".repeat(1_048_554)
    );
    let answer = client.post("/execute", longest.as_bytes());
    report.check("the longest script", answer.status == 200, answer.shown());
    let marked = format!("\u{feff}{}", r#"{"script": "def main(): return 1"}"#);
    let answer = client.post("/execute", marked.as_bytes());
    report.check("a byte order mark", answer.status == 200, answer.shown());
}

/// Both paths refuse it in the same way.
fn judge(server: &Server, report: &mut Report, body: &[u8], message: &str) {
    let shown = String::from_utf8_lossy(&body[..body.len().min(100)]).into_owned();
    for path in ["/execute", "/v1/executions"] {
        let answer = server.client().post(path, body);
        let expected = Text::default().and_has(message);
        let result = is_error(&answer, 400, "invalid_request", &expected);
        let result = result.map_err(|problem| format!("{problem}: {}", answer.shown()));
        report.add(format!("{path} {shown}"), result);
        report.check(&shown, answer.body.len() < 2000, "the answer is long");
    }
}

const BODIES: &[(&str, &str)] = &[
    ("", "the body is empty"),
    (" \n", "the body is empty"),
    ("{}", "script: is required"),
    ("[]", "invalid type: array, expected an object"),
    ("null", "invalid type: null, expected an object"),
    ("true", "invalid type: boolean"),
    ("7", "invalid type: integer"),
    ("\"def main(): pass\"", "invalid type: string"),
    ("1e400", "the body: number out of range"),
    (
        "{",
        "not JSON: EOF while parsing an object at line 1 column 1",
    ),
    (
        "{\n \"script\": \"x\",\n}",
        "not JSON: trailing comma at line 3 column 1",
    ),
    (
        r#"{"script": "x"} x"#,
        "not JSON: trailing characters at line 1 column 17",
    ),
    ("{'script': 'x'}", "not JSON"),
    ("script=x", "not JSON"),
    ("\0", "not JSON"),
    ("NaN", "not JSON"),
    (r#"{"script": "x", "input": NaN}"#, "not JSON"),
    (r#"{"script": "a	b"}"#, "not JSON"),
    (r#"{"script": "\ud800"}"#, "not JSON"),
    (r#"{"script": "\x"}"#, "not JSON"),
    (
        r#"{"script": "x", "script": "y"}"#,
        "duplicate field `script`",
    ),
    (r#"{"scrpt": "x"}"#, "scrpt: unknown field"),
    (
        r#"{"script": 5}"#,
        "script: invalid type: integer `5`, expected a string",
    ),
    (r#"{"script": null}"#, "script: invalid type: null"),
    (r#"{"script": ["x"]}"#, "script: invalid type: array"),
    (r#"{"script": ""}"#, "script: is empty"),
    (
        r#"{"script": "x", "input": null, "arguments": {}}"#,
        "arguments: cannot be sent together with input; send one of them",
    ),
    (
        r#"{"script": "x", "arguments": 1}"#,
        "arguments: is not an object of names and values",
    ),
    (
        r#"{"script": "x", "mode": "script", "input": 1}"#,
        "input: is for main(), which mode `script` does not call; hand data over in stdin, env or files",
    ),
    (
        r#"{"script": "x", "mode": "script", "arguments": {}}"#,
        "arguments: are for main(), which mode `script` does not call; hand data over in stdin, env or files",
    ),
    (r#"{"script": " \n\t"}"#, "script: is empty"),
    (
        r#"{"script": "a\nb\u0000"}"#,
        "script: holds a NUL character in line 2",
    ),
];

const FIELDS: &[(&str, &str)] = &[
    (r#""stdin": 1"#, "stdin: invalid type: integer"),
    (r#""stdin": ["a"]"#, "stdin: invalid type: array"),
    (
        r#""env": []"#,
        "env: invalid type: array, expected an object",
    ),
    (r#""env": "A=B""#, "env: invalid type: string"),
    (r#""env": {"A": 1}"#, "env.A: invalid type: integer"),
    (r#""env": {"A": null}"#, "env.A: invalid type: null"),
    (r#""env": {"": "x"}"#, "env: a variable needs a name"),
    (r#""env": {"A=B": "x"}"#, "env: the name"),
    (r#""env": {"A": "\u0000"}"#, "env: the value of \"A\""),
    (
        r#""environment": "gpu""#,
        "environment: no environment is named \"gpu\"; there are: default",
    ),
    (r#""environment": """#, "environment: "),
    (r#""environment": "../default""#, "environment: "),
    (r#""environment": 1"#, "environment: invalid type: integer"),
    (
        r#""files": {}"#,
        "files: invalid type: object, expected an array",
    ),
    (r#""files": ["a"]"#, "files[0]: invalid type: string"),
    (r#""files": [null]"#, "files[0]: invalid type: null"),
    (r#""files": [{"text": ""}]"#, "files[0].path: is required"),
    (
        r#""files": [{"path": "a"}]"#,
        "files[0]: needs \"content\" (base64) or \"text\"",
    ),
    (
        r#""files": [{"path": 1, "text": ""}]"#,
        "files[0].path: invalid type",
    ),
    (
        r#""files": [{"path": "a", "text": "", "content": ""}]"#,
        "files[0]: has both",
    ),
    (
        r#""files": [{"path": "a", "content": "AP8"}]"#,
        "files[0].content: is not base64",
    ),
    (
        r#""files": [{"path": "a", "content": "A P8="}]"#,
        "files[0].content: is not base64",
    ),
    (
        r#""files": [{"path": "a", "content": "--__"}]"#,
        "files[0].content: is not base64",
    ),
    (
        r#""files": [{"path": "a", "txt": ""}]"#,
        "files[0].txt: unknown field",
    ),
    (
        r#""files": [{"path": "a", "text": ""}, {"path": "a", "text": ""}]"#,
        "files[1].path: is the same",
    ),
    (
        r#""files": [{"path": "a", "text": ""}, {"path": "a/b", "text": ""}]"#,
        "files[1].path: ",
    ),
    (
        r#""output_files": "*""#,
        "output_files: invalid type: string",
    ),
    (
        r#""output_files": [1]"#,
        "output_files[0]: invalid type: integer",
    ),
    (
        r#""output_files": ["a", "../*"]"#,
        "output_files[1]: holds '..'",
    ),
    (
        r#""output_files": ["/tmp/*"]"#,
        "output_files[0]: is absolute",
    ),
    (r#""output_files": [""]"#, "output_files[0]: is empty"),
    (
        r#""limits": [1, 2, 3]"#,
        "limits: invalid type: array, expected an object",
    ),
    (r#""limits": {"time": 1}"#, "limits.time: unknown field"),
    (
        r#""limits": {"timeout_ms": 0}"#,
        "limits.timeout_ms: 0 is too small; it has to be 1 to 60000",
    ),
    (
        r#""limits": {"timeout_ms": 60001}"#,
        "limits.timeout_ms: 60001 is above this server's maximum of 60000",
    ),
    (
        r#""limits": {"cpu_ms": 60001}"#,
        "limits.cpu_ms: 60001 is above",
    ),
    (
        r#""limits": {"cpu_ms": 0}"#,
        "limits.cpu_ms: 0 is too small",
    ),
    (
        r#""limits": {"memory_mb": 1025}"#,
        "limits.memory_mb: 1025 is above this server's maximum of 1024",
    ),
    (
        r#""limits": {"memory_mb": 0}"#,
        "limits.memory_mb: 0 is too small",
    ),
    (r#""limits": {"timeout_ms": -1}"#, "limits.timeout_ms: "),
    (r#""limits": {"timeout_ms": 1.5}"#, "limits.timeout_ms: "),
    (r#""limits": {"timeout_ms": 1e3}"#, "limits.timeout_ms: "),
    (r#""limits": {"timeout_ms": true}"#, "limits.timeout_ms: "),
    (r#""limits": {"timeout_ms": "5"}"#, "limits.timeout_ms: "),
    (
        r#""limits": {"timeout_ms": 18446744073709551615}"#,
        "limits.timeout_ms: ",
    ),
    (
        r#""limits": {"timeout_ms": 99999999999999999999999999}"#,
        "limits.timeout_ms: ",
    ),
    (r#""limits": {"memory_mb": 1e400}"#, "limits.memory_mb: "),
    (
        r#""input": "\ud800""#,
        "input: an escape is half of a surrogate pair",
    ),
    (
        r#""input": {"a": "\udc00\ud800"}"#,
        "input: an escape is half of a surrogate pair",
    ),
    (r#""limit": {}"#, "limit: unknown field"),
    (r#""input": 1, "input": 2"#, "duplicate field `input`"),
];

const PATHS: [&str; 9] = [
    "",
    "/etc/passwd",
    "..",
    "../x",
    "a/../b",
    "a//b",
    "a/",
    "./a",
    "a\\u0000b",
];
