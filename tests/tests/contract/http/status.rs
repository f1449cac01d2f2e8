//! Paths, methods, media types and sizes. The server of these checks takes bodies of 2 000 000
//! bytes.

use cellblock_tests::{Client, Report, Server, Text, is_error};

const HELLO: &[u8] = br#"{"script": "def main(): return 'hello'"}"#;
const JSON: (&str, &str) = ("content-type", "application/json");

/// Method, path, status, type, `Allow`.
const ROUTES: &[(&str, &str, u16, &str, Option<&str>)] = &[
    ("GET", "/nosuch", 404, "not_found", None),
    ("POST", "/nosuch", 404, "not_found", None),
    ("POST", "/execute/", 404, "not_found", None),
    ("POST", "/execute/x", 404, "not_found", None),
    ("POST", "/EXECUTE", 404, "not_found", None),
    ("POST", "/v1", 404, "not_found", None),
    ("POST", "/v2/executions", 404, "not_found", None),
    ("GET", "/../etc/passwd", 404, "not_found", None),
    ("GET", "/%2e%2e/etc/passwd", 404, "not_found", None),
    ("GET", "/%00%ff", 404, "not_found", None),
    ("GET", "/execute", 405, "method_not_allowed", Some("POST")),
    ("HEAD", "/execute", 405, "", Some("POST")),
    ("PUT", "/execute", 405, "method_not_allowed", Some("POST")),
    (
        "DELETE",
        "/execute",
        405,
        "method_not_allowed",
        Some("POST"),
    ),
    ("PATCH", "/execute", 405, "method_not_allowed", Some("POST")),
    ("BREW", "/execute", 405, "method_not_allowed", Some("POST")),
    (
        "GET",
        "/v1/executions",
        405,
        "method_not_allowed",
        Some("POST"),
    ),
    (
        "POST",
        "/health",
        405,
        "method_not_allowed",
        Some("GET,HEAD"),
    ),
    (
        "DELETE",
        "/health",
        405,
        "method_not_allowed",
        Some("GET,HEAD"),
    ),
];

/// Media types that are not JSON.
const FOREIGN: [&str; 7] = [
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/xml",
    "application/jsonp",
    "json",
    "",
];

/// Media types that are.
const WELCOME: [&str; 4] = [
    "application/json",
    "application/json; charset=utf-8",
    "Application/JSON ;charset=UTF-8",
    "application/vnd.example+json",
];

pub(super) fn check(server: &Server, report: &mut Report) {
    let client = server.client();
    for (method, path, status, kind, allow) in ROUTES {
        let answer = client.send(method, path, &[JSON], b"");
        let result = if kind.is_empty() {
            Ok(())
        } else {
            is_error(&answer, *status, kind, &Text::default())
        };
        let name = format!("{method} {path}");
        report.add(
            &name,
            result.map_err(|problem| format!("{problem}: {}", answer.shown())),
        );
        report.check(&name, answer.status == *status, answer.status);
        report.check(
            &name,
            answer.header("allow") == *allow,
            format!("{:?}", answer.headers),
        );
    }
    media_types(client, report);
    sizes(client, report);
    ids(client, report);
}

fn media_types(client: &Client, report: &mut Report) {
    for path in ["/execute", "/v1/executions"] {
        for media_type in FOREIGN {
            let answer = client.send("POST", path, &[("content-type", media_type)], HELLO);
            let result = is_error(&answer, 415, "unsupported_media_type", &says_json());
            report.add(format!("{path} {media_type:?}"), result);
        }
        let answer = client.send("POST", path, &[], HELLO);
        let result = is_error(&answer, 415, "unsupported_media_type", &says_json());
        report.add(format!("{path} without a media type"), result);
        let zipped = [JSON, ("content-encoding", "gzip")];
        let answer = client.send("POST", path, &zipped, HELLO);
        let message = Text::default().and_has("Content-Encoding");
        report.add(
            format!("{path} compressed"),
            is_error(&answer, 415, "unsupported_media_type", &message),
        );
        for media_type in WELCOME {
            let answer = client.send("POST", path, &[("content-type", media_type)], HELLO);
            report.check(
                format!("{path} {media_type:?}"),
                answer.status == 200,
                answer.shown(),
            );
        }
    }
}

fn says_json() -> Text {
    Text::default().and_has("application/json")
}

fn sizes(client: &Client, report: &mut Report) {
    let body = |len: usize| {
        let mut body = HELLO.to_vec();
        body.resize(len, b' ');
        body
    };
    let answer = client.post("/execute", &body(2_000_000));
    report.check("the largest body", answer.status == 200, answer.shown());
    let message = Text::default().and_has("2000000 bytes");
    for len in [2_000_001, 6_000_000] {
        let answer = client.post("/execute", &body(len));
        let result = is_error(&answer, 413, "payload_too_large", &message);
        report.add(
            format!("a body of {len} bytes"),
            result.map_err(|e| e + &answer.shown()),
        );
    }
}

fn ids(client: &Client, report: &mut Report) {
    let sent = [JSON, ("x-request-id", "Abc-123_4.5:6/7+8=")];
    let answer = client.send("POST", "/execute", &sent, HELLO);
    let found = answer.header("x-request-id");
    report.check(
        "a request id is returned",
        found == Some(sent[1].1),
        format!("{found:?}"),
    );
    for strange in ["a b", "\"", "{}", "x".repeat(129).as_str()] {
        let sent = [JSON, ("x-request-id", strange)];
        let answer = client.send("POST", "/execute", &sent, HELLO);
        let found = answer.header("x-request-id").unwrap_or("");
        let fresh = !found.is_empty() && found != strange;
        report.check("a strange request id is replaced", fresh, found);
    }
    let ids = [(); 2].map(|()| {
        let answer = client.get("/nosuch");
        answer.header("x-request-id").unwrap_or("").to_owned()
    });
    report.check(
        "each request has its own",
        ids[0] != ids[1] && !ids[0].is_empty(),
        &ids[0],
    );
}
