//! `output_files`: what comes back, what is missing, and what did not fit.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use cellblock_tests::{Client, Report};
use serde_json::{Value, json};

use super::{execute, same};

pub(super) fn suite(client: &Client, report: &mut Report) {
    let script = "
        import os
        def main():
            os.makedirs('out/deep')
            for name, content in (('a.png', b'\\x89PNG'), ('out/b.csv', b'x,y\\n'), ('out/deep/c', b''),
                                  ('out/deep/.hidden', b'h'), ('left.txt', b'left')):
                with open(name, 'wb') as file:
                    file.write(content)
            os.symlink('/etc/passwd', 'out/link')
            os.symlink('/etc', 'out/linked')
            os.mkfifo('out/fifo')
        ";
    let record = execute(
        client,
        script,
        r#", "output_files": ["*.png", "out/**", "left.txt", "nosuch", "nosuch/*", "out/link"]"#,
    );
    let found = &record["files"];
    let file = |path: &str, media_type: &str, content: &[u8]| {
        let (size, content) = (content.len(), STANDARD.encode(content));
        json!({"path": path, "size": size, "media_type": media_type, "content": content})
    };
    let expected = json!([
        file("a.png", "image/png", b"\x89PNG"),
        file("left.txt", "text/plain", b"left"),
        file("out/b.csv", "text/csv", b"x,y\n"),
        file("out/deep/c", "application/octet-stream", b""),
    ]);
    same(report, "output files", found, &expected);
    let missing = json!(["nosuch", "out/link"]);
    same(report, "missing files", &record["missing"], &missing);
    same(report, "all are here", &record["truncated"], &json!([]));
    let large =
        "def main():\n    open('a', 'w').write('x' * 1001)\n    open('b', 'w').write('x' * 1000)";
    let record = execute(client, large, r#", "output_files": ["*", "a", "c"]"#);
    same(
        report,
        "too large: said",
        &record["truncated"],
        &json!(["files"]),
    );
    same(
        report,
        "too large, and so not missing",
        &record["missing"],
        &json!(["c"]),
    );
    let found = &record["files"];
    same(
        report,
        "too large: content",
        &found[0]["content"],
        &Value::Null,
    );
    same(report, "too large: size", &found[0]["size"], &json!(1001));
    same(report, "still fits", &found[1]["size"], &json!(1000));
    many_files(client, report);
    left_open(client, report);
    let failed = "def main():\n    open('a', 'w').write('x')\n    1 / 0";
    let record = execute(client, failed, r#", "output_files": ["*"]"#);
    same(
        report,
        "files of a failure",
        &record["files"][0]["path"],
        &json!("a"),
    );
}

/// Beyond the number that is listed nobody knows which of them are missing.
fn many_files(client: &Client, report: &mut Report) {
    let many = "def main():\n    for n in range(50): open(f'f{n:02}', 'w').close()";
    let record = execute(client, many, r#", "output_files": ["*", "f49", "g"]"#);
    let listed = record["files"].as_array().map_or(0, Vec::len);
    report.check("many files: some are listed", listed == 8, listed);
    let cut = &record["truncated"];
    same(report, "many files: said", cut, &json!(["files"]));
    let missing = &record["missing"];
    same(report, "many files: none is missing", missing, &json!([]));
    let ended = "import time\ntime.sleep(50)";
    let fields = r#", "output_files": ["a"], "limits": {"timeout_ms": 300}"#;
    let record = execute(client, ended, fields);
    let missing = &record["missing"];
    same(report, "ended: nobody looked", missing, &json!([]));
}

/// Files and archives that a module still has open are whole before they are collected.
fn left_open(client: &Client, report: &mut Report) {
    let script = "
        import csv, gzip, zipfile
        table = open('a.csv', 'w', newline='')
        archive = zipfile.ZipFile('a.zip', 'w')
        packed = gzip.open('a.gz', 'wt')
        def main():
            csv.writer(table).writerow([1, 2])
            archive.writestr('x', 'y')
            packed.write('z')
        ";
    let record = execute(client, script, r#", "output_files": ["*"]"#);
    let content = |place: usize| {
        let text = record["files"][place]["content"].as_str();
        text.and_then(|text| STANDARD.decode(text).ok())
            .unwrap_or_default()
    };
    report.check("a table left open", content(0) == b"1,2\r\n", &record);
    // Its end holds the length of what is packed, that of an archive the number of its entries.
    let packed = content(1).ends_with(&[1, 0, 0, 0]);
    report.check("a packed file left open", packed, &record);
    let archive = content(2).windows(4).any(|bytes| bytes == b"PK\x05\x06");
    report.check("an archive left open", archive, &record);
}
