//! Bodies that are as large as they are wrong.

/// Each with a part of its message.
pub(super) fn bodies() -> Vec<(String, &'static str)> {
    let nested = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
    let with = |fields: &str| format!(r#"{{"script": "def main(): return 1", {fields}}}"#);
    let many: Vec<_> = (0..1025)
        .map(|n| format!(r#"{{"path": "{n}", "text": ""}}"#))
        .collect();
    let text = "é".repeat(100_000);
    vec![
        (
            format!(r#"{{"script": "{}"}}"#, "x".repeat(1_048_577)),
            "script: is 1048577 bytes long",
        ),
        (
            with(&format!(r#""input": {}"#, nested(201))),
            "input: nested deeper than 200 levels",
        ),
        (
            with(&format!(r#""input": {}"#, nested(100_000))),
            "input: nested deeper",
        ),
        (
            with(&format!(r#""env": {}"#, nested(100_000))),
            "env: invalid type: array",
        ),
        (
            with(&format!(r#""files": {}"#, nested(100_000))),
            "files[0]: invalid type: array",
        ),
        (nested(100_000), "the body: invalid type: array"),
        ("[".repeat(100_000), "the body: invalid type: array"),
        (
            "{\"script\":".repeat(100_000),
            "script: invalid type: object",
        ),
        (
            with(&format!(r#""files": [{}]"#, many.join(","))),
            "files: more than this server's maximum",
        ),
        (
            with(&format!(
                r#""files": [{{"path": "a", "text": "{}"}}]"#,
                "x".repeat(8_388_609)
            )),
            "files: more than this server's maximum of 8388608 bytes",
        ),
        (
            with(&format!(r#""limits": "{text}""#)),
            "limits: invalid type: string",
        ),
        (with(&format!(r#""{text}": 1"#)), "unknown field"),
        (
            with(&format!(r#""environment": "{text}""#)),
            "environment: no environment is named",
        ),
        (
            with(&format!(
                r#""files": [{{"path": "{}", "text": ""}}]"#,
                "x".repeat(256)
            )),
            "files[0].path",
        ),
        (
            with(&format!(
                r#""files": [{{"path": "{}", "text": ""}}]"#,
                "x/".repeat(3000)
            )),
            "files[0].path",
        ),
        (
            with(&format!(
                r#""output_files": [{}]"#,
                vec!["\"*\""; 65].join(",")
            )),
            "output_files: 65",
        ),
    ]
}
