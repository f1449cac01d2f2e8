//! Bodies, and the sentence that each mistake gets.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use proptest::prelude::*;

use cellblock_wire::job::Mode;

use super::*;
use crate::execution::parse;

fn take(body: &str) -> Result<ExecutionRequest, InvalidRequest> {
    parse(body.as_bytes())?.validate(&Config::defaults().unwrap())
}

/// The error of a body with a good script and this beside it.
fn with(fields: &str) -> String {
    problem(&format!(r#"{{"script": "def main(): pass", {fields}}}"#))
}

fn problem(body: &str) -> String {
    take(body).unwrap_err().to_string()
}

#[test]
fn a_bare_script_gets_the_defaults() {
    let request = take(r#"{"script": "def main(): pass"}"#).unwrap();
    assert_eq!(request.script, "def main(): pass");
    assert_eq!(request.mode, Mode::Main);
    assert!(request.input.is_none() && request.arguments.is_none());
    assert_eq!(request.environment, "default");
    assert_eq!(request.limits.timeout.as_millis(), 10_000);
    assert_eq!(request.limits.cpu.as_millis(), 10_000);
    assert_eq!(request.limits.memory_bytes, 256 << 20);
    assert!(request.env.is_empty() && request.files.is_empty() && request.output_files.is_empty());
}

#[test]
fn every_field_arrives() {
    let request = take(
        r#"{"script": "x", "input": {"n": 123456789012345678901234567890, "a": 1.50},
            "stdin": "in", "env": {"K": "v"}, "output_files": ["out/*.png", "**/*.csv"],
            "files": [{"path": "a/b.txt", "text": "hé"}, {"path": "a/c", "content": "AP8="}],
            "limits": {"timeout_ms": 60000, "cpu_ms": 5, "memory_mb": 1024}, "environment": "default"}"#,
    )
    .unwrap();
    assert_eq!(
        request.input.unwrap().get(),
        r#"{"n": 123456789012345678901234567890, "a": 1.50}"#
    );
    assert_eq!(request.stdin, "in");
    assert_eq!(request.env["K"], "v");
    assert_eq!(request.output_files.len(), 2);
    assert_eq!(request.files[0].text.as_deref(), Some("hé"));
    assert_eq!(request.files[1].content.as_deref(), Some("AP8="));
    assert_eq!(request.limits.timeout.as_millis(), 60_000);
    assert_eq!(request.limits.cpu.as_millis(), 5);
    assert_eq!(request.limits.memory_bytes, 1024 << 20);
}

#[test]
fn null_is_as_good_as_absent_but_for_the_script_and_the_input() {
    let nulls = r#""mode": null, "arguments": null, "stdin": null, "env": null, "files": null, "output_files": null,
        "limits": null, "environment": null"#;
    assert!(take(&format!(r#"{{"script": "x", {nulls}}}"#)).is_ok());
    assert!(take(r#"{"script": "x", "limits": {"timeout_ms": null}}"#).is_ok());
    assert_eq!(
        problem(r#"{"script": null}"#),
        "script: invalid type: null, expected a string"
    );
    let request = take(r#"{"script": "x", "input": null}"#).unwrap();
    assert_eq!(request.input.unwrap().get(), "null");
}

#[test]
fn main_is_handed_an_input_or_arguments_and_a_script_neither() {
    let request = take(r#"{"script": "x", "arguments": {"b": 1.50, "a": null}}"#).unwrap();
    let arguments = request.arguments.unwrap();
    assert_eq!(arguments.get(), r#"{"b": 1.50, "a": null}"#);
    assert!(request.input.is_none());
    let request = take(r#"{"script": "x", "mode": "script", "stdin": "y"}"#).unwrap();
    assert_eq!(request.mode, Mode::Script);
    let request = take(r#"{"script": "x", "mode": "main", "input": 1}"#).unwrap();
    assert_eq!(request.mode, Mode::Main);
    for (fields, expected) in [
        (
            r#""arguments": {}, "input": null"#,
            "arguments: cannot be sent together with input; send one of them",
        ),
        (
            r#""arguments": [1]"#,
            "arguments: is not an object of names and values",
        ),
        (
            r#""arguments": {"a": "\ud800"}"#,
            "arguments: an escape is half of a surrogate pair",
        ),
        (
            r#""mode": "script", "input": 1"#,
            "input: is for main(), which mode `script` does not call; hand data over in stdin, \
             env or files",
        ),
        (
            r#""mode": "script", "arguments": {}"#,
            "arguments: are for main(), which mode `script` does not call; hand data over in \
             stdin, env or files",
        ),
        (
            r#""mode": "module""#,
            "mode: unknown variant `module`, expected `main` or `script`",
        ),
    ] {
        assert_eq!(with(fields), expected, "{fields}");
    }
}

#[test]
fn bodies_that_are_no_request() {
    for (body, expected) in [
        ("", "the body is empty"),
        (" \n", "the body is empty"),
        ("{}", "script: is required"),
        ("[]", "the body: invalid type: array, expected an object"),
        (r#"["def main(): pass"]"#, "the body: invalid type: array"),
        ("null", "the body: invalid type: null, expected an object"),
        (
            "7",
            "the body: invalid type: integer `7`, expected an object",
        ),
        (
            "{",
            "the body is not JSON: EOF while parsing an object at line 1 column 1",
        ),
        (
            "{\n \"script\": \"x\",\n}",
            "the body is not JSON: trailing comma at line 3 column 1",
        ),
        (
            r#"{"script": "x"} x"#,
            "the body is not JSON: trailing characters at line 1 column 17",
        ),
        (r#"{"script": "\ud800"}"#, "the body is not JSON: "),
        (
            r#"{"script": "x", "script": "y"}"#,
            "the body: duplicate field `script`",
        ),
        (
            r#"{"scrpt": "x"}"#,
            "scrpt: unknown field `scrpt`, expected one of `script`, `mode`, `input`",
        ),
        (
            r#"{"script": 5}"#,
            "script: invalid type: integer `5`, expected a string",
        ),
        (
            r#"{"script": ["x"]}"#,
            "script: invalid type: array, expected a string",
        ),
        (r#"{"script": ""}"#, "script: is empty"),
        (r#"{"script": " \n\t"}"#, "script: is empty"),
        (
            r#"{"script": "a\nb\u0000"}"#,
            "script: holds a NUL character in line 2",
        ),
    ] {
        let got = problem(body);
        assert!(got.starts_with(expected), "{body}: {got}");
    }
    let not_utf8 = parse(b"{\"script\": \"\xff\"}").unwrap_err().to_string();
    assert_eq!(not_utf8, "the body is not UTF-8: bad byte at offset 12");
    let long = format!(r#"{{"script": "{}"}}"#, "x".repeat(1_048_577));
    assert_eq!(
        problem(&long),
        "script: is 1048577 bytes long, above this server's maximum of 1048576"
    );
    assert!(
        take(&format!(
            "\u{feff}{{\"script\": \"{}\"}}",
            "x".repeat(1_048_576)
        ))
        .is_ok()
    );
}

#[test]
fn fields_with_wrong_values() {
    for (fields, expected) in [
        (
            r#""stdin": 1"#,
            "stdin: invalid type: integer `1`, expected a string",
        ),
        (
            r#""env": []"#,
            "env: invalid type: array, expected an object",
        ),
        (
            r#""env": {"A": 1}"#,
            "env.A: invalid type: integer `1`, expected a string",
        ),
        (r#""env": {"": "x"}"#, "env: a variable needs a name"),
        (
            r#""env": {"A=B": "x"}"#,
            "env: the name \"A=B\" holds '=' or a NUL character",
        ),
        (
            r#""env": {"A": "\u0000"}"#,
            "env: the value of \"A\" holds a NUL character",
        ),
        (
            r#""environment": "gpu""#,
            "environment: no environment is named \"gpu\"; there are: default",
        ),
        (
            r#""files": {}"#,
            "files: invalid type: object, expected an array",
        ),
        (
            r#""files": [["a", "b"]]"#,
            "files[0]: invalid type: array, expected an object",
        ),
        (r#""files": [{"text": ""}]"#, "files[0].path: is required"),
        (
            r#""files": [{"path": "a"}]"#,
            "files[0]: needs \"content\" (base64) or \"text\"",
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
            r#""files": [{"path": "a", "txt": ""}]"#,
            "files[0].txt: unknown field",
        ),
        (
            r#""output_files": "*""#,
            "output_files: invalid type: string \"*\", expected an array",
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
            "limits.cpu_ms: 60001 is above this server's maximum of 60000",
        ),
        (
            r#""limits": {"memory_mb": 1025}"#,
            "limits.memory_mb: 1025 is above this server's maximum of 1024",
        ),
        (
            r#""limits": {"timeout_ms": -1}"#,
            "limits.timeout_ms: invalid type: integer `-1`, expected a whole number",
        ),
        (
            r#""limits": {"timeout_ms": 1.5}"#,
            "limits.timeout_ms: invalid type: floating point `1.5`, expected a whole number",
        ),
        (
            r#""limits": {"timeout_ms": true}"#,
            "limits.timeout_ms: invalid type: boolean `true`, expected a whole number",
        ),
        (
            r#""limits": {"timeout_ms": "5"}"#,
            "limits.timeout_ms: invalid type: string \"5\", expected a whole number",
        ),
        (
            r#""limits": {"timeout_ms": 18446744073709551615}"#,
            "limits.timeout_ms: 18446744073709551615 is above",
        ),
        (
            r#""limits": {"memory_mb": 1e400}"#,
            "limits.memory_mb: number out of range",
        ),
        (
            r#""input": "\ud800""#,
            "input: an escape is half of a surrogate pair",
        ),
    ] {
        let got = with(fields);
        assert!(got.starts_with(expected), "{fields}: {got}");
    }
}

#[test]
fn paths_that_cannot_be_laid_down() {
    let long = "x".repeat(256);
    let very_long = "x/".repeat(2048) + "x";
    for (path, expected) in [
        ("", "is empty"),
        ("/etc/passwd", "is absolute"),
        ("../x", "holds '..'"),
        ("a/../b", "holds '..'"),
        ("a//b", "has an empty part"),
        ("a/", "has an empty part"),
        ("./a", "holds '.' as a part"),
        ("a\\u0000b", "holds a NUL character"),
        (&long, "has a part longer than 255 bytes"),
        (&very_long, "is longer than 4096 bytes"),
    ] {
        let got = with(&format!(r#""files": [{{"path": "{path}", "text": ""}}]"#));
        assert!(
            got.starts_with(&format!("files[0].path: {expected}")),
            "{got}"
        );
    }
    for path in ["a", "a b/ü.txt", "..a/b..", "a/b/c", "-rf", "*"] {
        let body = format!(r#"{{"script": "x", "files": [{{"path": "{path}", "text": ""}}]}}"#);
        assert!(take(&body).is_ok(), "{path}");
    }
}

#[test]
fn files_that_clash_and_files_that_are_too_many_or_too_large() {
    let two = |first: &str, second: &str| {
        with(&format!(
            r#""files": [{{"path": "{first}", "text": ""}}, {{"path": "{second}", "text": ""}}]"#
        ))
    };
    assert_eq!(two("a", "a"), "files[1].path: is the same as files[0].path");
    assert_eq!(
        two("a", "a/b"),
        "files[1].path: \"a\" is a directory here, but files[0] is a file of that name"
    );
    assert_eq!(
        two("a/b/c", "a/b"),
        "files[1].path: is a directory for files[0], so it cannot be a file"
    );
    let many: Vec<_> = (0..1025)
        .map(|n| format!(r#"{{"path": "{n}", "text": ""}}"#))
        .collect();
    assert_eq!(
        with(&format!(r#""files": [{}]"#, many.join(","))),
        "files: more than this server's maximum of 1024 files and directories"
    );
    let files = |content: String| format!(r#""files": [{{"path": "a", "content": "{content}"}}]"#);
    let most = 8 << 20;
    let fits = files(STANDARD.encode(vec![0; most]));
    assert!(take(&format!(r#"{{"script": "x", {fits}}}"#)).is_ok());
    assert_eq!(
        with(&files(STANDARD.encode(vec![0; most + 1]))),
        "files: more than this server's maximum of 8388608 bytes in all"
    );
    let padded_inside = format!("{}AA=={}", "A".repeat(4092), "A".repeat(8));
    assert!(with(&files(padded_inside)).starts_with("files[0].content: is not base64"));
    let globs = vec!["\"*\""; 65].join(",");
    assert_eq!(
        with(&format!(r#""output_files": [{globs}]"#)),
        "output_files: 65 globs, above the maximum of 64"
    );
}

#[test]
fn no_depth_overflows_the_stack() {
    let nested = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
    assert!(take(&format!(r#"{{"script": "x", "input": {}}}"#, nested(200))).is_ok());
    for depth in [201, 1_000_000] {
        let got = with(&format!(r#""input": {}"#, nested(depth)));
        assert_eq!(got, "input: nested deeper than 200 levels");
        for field in ["stdin", "env", "files", "limits", "environment", "nonsense"] {
            with(&format!(r#""{field}": {}"#, nested(depth)));
        }
        problem(&nested(depth));
        problem(&"{\"script\":".repeat(depth));
    }
}

#[test]
fn messages_stay_short_whatever_was_sent() {
    let long = "é".repeat(100_000);
    for body in [
        format!(r#"{{"script": "x", "limits": "{long}"}}"#),
        format!(r#"{{"script": "x", "{long}": 1}}"#),
        format!(r#"{{"script": "x", "env": {{"{long}": 1}}}}"#),
        format!(r#"{{"script": "x", "env": {{"{long}=": ""}}}}"#),
        format!(r#"{{"script": "x", "environment": "{long}"}}"#),
        format!(r#"{{"script": "x", "input": "{long}\x"}}"#),
    ] {
        let got = problem(&body);
        assert!(got.len() < 1000, "{got}");
    }
    assert!(with(&format!(r#""limits": "{long}""#)).ends_with("…, expected an object"));
}

proptest! {
    #[test]
    fn any_bytes_are_judged_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let config = Config::defaults().unwrap();
        let _ = parse(&bytes).and_then(|draft| draft.validate(&config));
    }

    #[test]
    fn any_fields_are_judged_without_panic(
        field in "script|mode|input|arguments|stdin|env|files|output_files|limits|environment|[a-z]{0,3}",
        value in "[\\[\\]{}\",:0-9a-f.eu\\\\dDtrnls/ ]{0,60}",
    ) {
        let config = Config::defaults().unwrap();
        let body = format!(r#"{{"script": "x", "{field}": {value}}}"#);
        let _ = parse(body.as_bytes()).and_then(|draft| draft.validate(&config));
    }

    #[test]
    fn any_path_is_judged_and_none_taken_leaves_the_directory(path in "[a./]{0,12}") {
        let body = format!(r#"{{"script": "x", "files": [{{"path": "{path}", "text": ""}}]}}"#);
        if take(&body).is_ok() {
            prop_assert!(!path.starts_with('/'));
            prop_assert!(path.split('/').all(|part| !part.is_empty() && part != "." && part != ".."));
        }
    }
}
