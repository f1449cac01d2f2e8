//! The log has every request, and nothing of what it brought or got.

use cellblock_tests::{Report, Setup, matrix, quoted};

matrix!(suite);

/// What no line of the log may have: each goes through another part of a request or an answer.
const SECRETS: [&str; 9] = [
    "SECRET-script",
    "SECRET-input",
    "SECRET-stdin",
    "SECRET-env",
    "SECRET-file",
    "SECRET-result",
    "SECRET-stdout",
    "SECRET-stderr",
    "SECRET-error",
];

fn suite(setup: &Setup, report: &mut Report) {
    for level in ["info", "debug", "trace"] {
        let server = setup.clone().set("server", "log", quoted(level)).start();
        let client = server.client();
        for ending in [
            "return 'SECRET' + '-result'",
            "raise ValueError('SECRET-error')",
            "exit('SECRET-error')",
            "os.abort()",
        ] {
            let body = request(ending);
            for path in ["/execute", "/v1/executions?SECRET-input"] {
                let headers = [
                    ("content-type", "application/json"),
                    ("x-request-id", "id-of-this-request"),
                    ("authorization", "SECRET-input"),
                ];
                let answer = client.send("POST", path, &headers, body.as_bytes());
                let id = answer.header("x-request-id");
                report.check(
                    "the id",
                    id == Some("id-of-this-request"),
                    format!("{id:?}"),
                );
                let out = answer.text().contains("SECRET-stdout");
                report.check("it ran", out, answer.shown());
            }
        }
        client.post(
            "/execute",
            b"{\"script\": 1, \"SECRET-input\": SECRET-script}",
        );
        client.post("/execute", b"{\"script\": \"SECRET-script(\"}");
        client.post(
            "/execute",
            b"{\"script\": \"x\", \"environment\": \"SECRET-input\"}",
        );
        let log = server.log();
        for secret in SECRETS {
            let found = log.lines().find(|line| line.contains(secret));
            report.check(
                format!("{level}: {secret}"),
                found.is_none(),
                format!("{found:?}"),
            );
        }
        let told = log
            .lines()
            .filter(|line| line.contains("id-of-this-request"))
            .count();
        report.check(
            format!("{level}: every request has a line"),
            told >= 8,
            told,
        );
        let json = log
            .lines()
            .all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok());
        report.check(format!("{level}: every line is JSON"), json, &log);
        server.stop(report);
    }
}

fn request(ending: &str) -> String {
    let script = format!(
        "# SECRET-script\nimport os, sys\ndef main(x):\n    print('SECRET-stdout', x, input(), \
         os.environ['V'], open('SECRET-file').read())\n    print('SECRET-stderr', file=sys.stderr)\n    \
         {ending}\n"
    );
    format!(
        "{{\"script\": {}, \"input\": \"SECRET-input\", \"stdin\": \"SECRET-stdin\\n\", \
         \"env\": {{\"V\": \"SECRET-env\"}}, \
         \"files\": [{{\"path\": \"SECRET-file\", \"text\": \"SECRET-file\"}}]}}",
        quoted(&script)
    )
}
