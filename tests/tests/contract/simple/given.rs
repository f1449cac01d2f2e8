//! What comes with a request: `input`, `env`, `files`, `environment`.

use cellblock_tests::Case;

pub(super) fn cases() -> Vec<Case> {
    let mut cases = vec![
        Case::new(
            "numbers keep every digit",
            "def main(x): return [x, x['n'] + 1, type(x['f']).__name__]",
        )
        .input(r#"{"n": 123456789012345678901234567890, "f": 1.0}"#)
        .returns(
            r#"[{"n":123456789012345678901234567890,"f":1.0},123456789012345678901234567891,"float"]"#,
        ),
        Case::new("keys keep their order", "def main(x): return [x, list(x)]")
            .input(r#"{"b": 1, "a": {"z": 1, "y": 2}, "": null}"#)
            .returns(r#"[{"b":1,"a":{"z":1,"y":2},"":null},["b","a",""]]"#),
        Case::new("text of every kind", "def main(x): return x")
            .input(r#""\u0000 \ud83d\ude00 \"é\\ \u2028\n""#)
            .returns("\"\\u0000 😀 \\\"é\\\\ \u{2028}\\n\""),
        Case::new("a large input", "def main(x): return len(x)")
            .input(&format!("[{}0]", "0,".repeat(999_999)))
            .returns("1000000"),
        Case::new("env", "import os\ndef main(): return [os.environ['A'], os.getenv('B_2')]")
            .field("env", r#"{"A": "é = x", "B_2": ""}"#)
            .returns(r#"["é = x",""]"#),
        Case::new("env over the sandbox's own", "import os\ndef main(): return os.environ['HOME']")
            .field("env", r#"{"HOME": "/tmp/home"}"#)
            .returns("\"/tmp/home\""),
        Case::new("a time zone", "import time\ndef main(): return time.tzname[0]")
            .field("env", r#"{"TZ": "XYZ3"}"#)
            .returns("\"XYZ\""),
        Case::new(
            "files",
            "
            import os
            def main():
                found = {}
                for directory, _, names in sorted(os.walk('.')):
                    for name in sorted(names):
                        path = os.path.join(directory, name)
                        found[path] = list(open(path, 'rb').read())
                return found
            ",
        )
        .field(
            "files",
            r#"[{"path": "a", "text": "hé"}, {"path": "b/c/d.bin", "content": "AP8K"},
                {"path": "b/empty", "text": ""}, {"path": "..x y", "content": ""}]"#,
        )
        .returns(r#"{"./..x y":[],"./a":[104,195,169],"./b/empty":[],"./b/c/d.bin":[0,255,10]}"#),
        Case::new(
            "a module of the client's",
            "
            import helper
            from pack.inner import value
            def main(x):
                return [helper.double(x), value]
            ",
        )
        .field(
            "files",
            r#"[{"path": "helper.py", "text": "def double(x):\n    return x * 2\n"},
                {"path": "pack/__init__.py", "text": ""},
                {"path": "pack/inner.py", "text": "value = 'inner'\n"}]"#,
        )
        .input("21")
        .returns(r#"[42,"inner"]"#),
        Case::new(
            "files may be changed and deleted",
            "
            import os
            def main():
                open('a', 'a').write('2')
                text = open('a').read()
                os.remove('a')
                return [text, os.listdir('.')]
            ",
        )
        .field("files", r#"[{"path": "a", "text": "1"}]"#)
        .returns(r#"["12",[]]"#),
        Case::new("a table", "
            import pandas
            def main():
                return pandas.read_csv('data/a.csv').groupby('k')['v'].sum().to_dict()
            ")
        .field("files", r#"[{"path": "data/a.csv", "text": "k,v\nx,1\ny,2\nx,3\n"}]"#)
        .returns(r#"{"x":4,"y":2}"#),
        Case::new("the environment by name", "import numpy\ndef main(): return 1")
            .field("environment", "\"default\"")
            .returns("1"),
        Case::new("another environment", "import numpy\ndef main(): return 1")
            .field("environment", "\"plain\"")
            .fails("exception")
            .line(1)
            .message("ModuleNotFoundError: No module named 'numpy'")
            .hint("'numpy' is not in this environment"),
        Case::new("an environment that restricts nothing", "import socket\ndef main(): return 1")
            .field("environment", "\"plain\"")
            .returns("1"),
        Case::new("null is as good as absent", "def main(x): return x")
            .field("input", "null")
            .field("stdin", "null")
            .field("env", "null")
            .field("files", "null")
            .field("output_files", "null")
            .field("limits", "null")
            .field("environment", "null"),
    ];
    cases.extend(inputs().map(|json| {
        Case::new(format!("input {json}"), "def main(x): return x")
            .input(json)
            .returns(json)
    }));
    cases
}

fn inputs() -> impl Iterator<Item = &'static str> {
    [
        "null",
        "true",
        "0",
        "-1",
        "1.5",
        "\"\"",
        "[]",
        "{}",
        "[[],{},[{}]]",
        "9007199254740993",
        "-170141183460469231731687303715884105728",
    ]
    .into_iter()
}
