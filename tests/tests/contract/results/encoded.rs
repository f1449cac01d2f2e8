//! What JSON can hold, byte for byte.

use cellblock_tests::Case;

pub(super) fn cases() -> Vec<Case> {
    let mut cases: Vec<Case> = VALUES
        .iter()
        .map(|(before, expression, result)| Case::value(before, expression, result))
        .collect();
    let deepest = format!("{}{}", "[".repeat(200), "]".repeat(200));
    cases.extend([
        Case::value("", "10 ** 5000", &format!("1{}", "0".repeat(5000))),
        Case::value("import json", &format!("json.loads('{deepest}')"), &deepest),
        Case::value(
            "",
            "'x' * 1_000_000",
            &format!("\"{}\"", "x".repeat(1_000_000)),
        ),
        Case::value("", "list(range(100_000))", &{
            let numbers: Vec<_> = (0..100_000).map(|n| n.to_string()).collect();
            format!("[{}]", numbers.join(","))
        }),
        Case::value("", "{str(n): [n, None] for n in range(20_000)}", &{
            let items: Vec<_> = (0..20_000).map(|n| format!("\"{n}\":[{n},null]")).collect();
            format!("{{{}}}", items.join(","))
        }),
    ]);
    cases
}

const NUMPY: &str = "import numpy as np";
const PANDAS: &str = "import pandas as pd";
const ENUM: &str =
    "import enum\nclass E(enum.IntEnum):\n    A = 3\nclass S(str, enum.Enum):\n    A = 'a'";
const TUPLE: &str = "import collections\nP = collections.namedtuple('P', 'x y')";

const VALUES: &[(&str, &str, &str)] = &[
    ("", "None", "null"),
    ("", "True", "true"),
    ("", "[False, 0, -1]", "[false,0,-1]"),
    ("", "2 ** 64", "18446744073709551616"),
    ("", "-10 ** 30", "-1000000000000000000000000000000"),
    (
        "",
        "123456789012345678901234567890",
        "123456789012345678901234567890",
    ),
    (
        "",
        "[0.1, -0.0, 1.0, 1e16, 5e-324]",
        "[0.1,-0.0,1.0,1e+16,5e-324]",
    ),
    ("", "0.1 + 0.2", "0.30000000000000004"),
    ("", "1.7976931348623157e308", "1.7976931348623157e+308"),
    ("", "''", "\"\""),
    ("", "'größe 🐍'", "\"größe 🐍\""),
    ("", r#"'"\\/\b\f\n\r\t'"#, r#""\"\\/\b\f\n\r\t""#),
    ("", r"'\0\x01\x1f'", r#""\u0000\u0001\u001f""#),
    ("", "[]", "[]"),
    ("", "()", "[]"),
    ("", "(1, (2,), [3])", "[1,[2],[3]]"),
    ("", "{}", "{}"),
    ("", "{'b': 1, 'a': 2, '': 3}", r#"{"b":1,"a":2,"":3}"#),
    (
        "",
        "{1: 'a', 2.5: 'b', True: 'c', None: 'd'}",
        r#"{"1":"c","2.5":"b","null":"d"}"#,
    ),
    ("", "{False: 0}", r#"{"false":0}"#),
    (
        "",
        "{'__proto__': 1, 'result': 2, 'error': {}}",
        r#"{"__proto__":1,"result":2,"error":{}}"#,
    ),
    ("x = [1]", "[x, x, {'x': x}]", r#"[[1],[1],{"x":[1]}]"#),
    (ENUM, "[E.A, S.A, {E.A: S.A}]", r#"[3,"a",{"3":"a"}]"#),
    (TUPLE, "P(1, [2])", "[1,[2]]"),
    (
        "import collections",
        "collections.OrderedDict(z=1, a=2)",
        r#"{"z":1,"a":2}"#,
    ),
    (
        "import collections",
        "collections.Counter('aab')",
        r#"{"a":2,"b":1}"#,
    ),
    (
        "import collections",
        "collections.defaultdict(list, a=[1])",
        r#"{"a":[1]}"#,
    ),
    (NUMPY, "np.int64(3)", "3"),
    (NUMPY, "np.uint64(2**64 - 1)", "18446744073709551615"),
    (
        NUMPY,
        "[np.int8(-1), np.uint8(255), np.int32(7)]",
        "[-1,255,7]",
    ),
    (
        NUMPY,
        "[np.float64(0.1), np.float32(0.5), np.float16(2)]",
        "[0.1,0.5,2.0]",
    ),
    (NUMPY, "[np.bool_(True), np.str_('s')]", "[true,\"s\"]"),
    (
        NUMPY,
        "{np.int64(1): np.int64(2), np.str_('k'): 0}",
        r#"{"1":2,"k":0}"#,
    ),
    (
        NUMPY,
        "np.arange(6).reshape(2, 3).tolist()",
        "[[0,1,2],[3,4,5]]",
    ),
    (NUMPY, "np.arange(4).sum()", "6"),
    (NUMPY, "float(np.mean([1, 2]))", "1.5"),
    (
        PANDAS,
        "pd.DataFrame({'a': [1], 'b': ['x']}).to_dict('records')",
        r#"[{"a":1,"b":"x"}]"#,
    ),
    (PANDAS, "pd.Series([1, 2]).sum()", "3"),
    (PANDAS, "pd.Series([1.5]).tolist()", "[1.5]"),
    (
        PANDAS,
        "dict(pd.Series(['a', 'b', 'a']).value_counts())",
        r#"{"a":2,"b":1}"#,
    ),
];
