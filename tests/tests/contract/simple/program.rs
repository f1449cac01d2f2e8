//! Mode `script`, in which a script is a program, and what looks for `__main__` in each mode.

use cellblock_tests::{Case, Text};

pub(super) fn cases() -> Vec<Case> {
    let mut cases = results();
    cases.extend(failures());
    let not_json = ["{1, 2}", "print", "float('nan')", "b''", "[object()]"];
    cases.extend(not_json.map(|value| program(value, value).returns("null")));
    for (name, before, value, result) in FINDS {
        let main = format!("{before}\ndef main(): return {value}\n");
        cases.push(Case::new(format!("{name} in mode main"), &main).returns(result));
        cases.push(program(name, &format!("{before}\n{value}\n")).returns(result));
    }
    cases.push(failed_tests());
    cases
}

fn program(name: &str, script: &str) -> Case {
    Case::new(format!("program: {name}"), script).field("mode", "\"script\"")
}

fn results() -> Vec<Case> {
    vec![
        program("the value of the last expression", "x = 2\nx + 1").returns("3"),
        program("one behind a semicolon", "x = 2; {'x': x}").returns(r#"{"x":2}"#),
        program("a statement at the end", "x = 2").returns("null"),
        program("comments only", "# nothing").returns("null"),
        program("numpy's scalars", "import numpy as np\nnp.int64(3)").returns("3"),
        program(
            "it recurses as deep as one that is run by itself",
            "
            def down(n):
                try:
                    return down(n + 1)
                except RecursionError:
                    return n
            down(1)
            ",
        )
        .returns("999"),
        program("main is not called", "def main(): return 5").returns("null"),
        program("a call of main", "def main(): return 5\nmain()").returns("5"),
        program(
            "the guard runs",
            "
            import sys
            if __name__ == '__main__':
                print('guarded', __file__, sys.argv)
            ",
        )
        .prints("guarded script.py ['script.py']\n"),
        program("stdin is what it reads", "input() + '!'")
            .stdin("hello\n")
            .returns("\"hello!\""),
    ]
}

fn failures() -> Vec<Case> {
    vec![
        program("an error", "x = 0\n1 / x")
            .fails("exception")
            .line(2)
            .message("ZeroDivisionError: division by zero")
            .traceback(
                "
                Traceback (most recent call last):
                  File \"script.py\", line 2, in <module>
                    1 / x
                ZeroDivisionError: division by zero
                ",
            ),
        program(
            "an exception of its own",
            "class Bad(Exception): pass\nraise Bad('x')",
        )
        .fails("exception")
        .line(2)
        .message("Bad: x"),
        program("bad syntax", "x = 1\nx = (")
            .fails("syntax_error")
            .line(2)
            .and(|failure| failure.any.push("column")),
        program("an exit", "import sys\nsys.exit(3)")
            .fails("exited")
            .error("exit_code", 3)
            .message("the script exited with code 3 before it had a result")
            .line(2),
    ]
}

/// A grader's script: it has to find the tests, and to see that one fails.
fn failed_tests() -> Case {
    Case::new(
        "unittest.main ends as in a program",
        "
        import unittest
        class Test(unittest.TestCase):
            def test_good(self): pass
            def test_bad(self): self.fail()
        def main(): unittest.main()
        ",
    )
    .fails("exited")
    .error("exit_code", 1)
    .and(|failure| {
        failure.any.push("line");
        failure.stderr = Text::default()
            .and_has("Ran 2 tests in")
            .and_has("FAILED (failures=1)")
            .and_has("FAIL: test_bad (script.Test");
    })
}

/// Name, script, an expression, its value.
const FINDS: [(&str, &str, &str, &str); 9] = [
    (
        "__main__",
        "import sys, script",
        "sys.modules['__main__'] is script is sys.modules['script']",
        "true",
    ),
    (
        "unittest.main",
        "
import io, sys, unittest
sys.stderr = io.StringIO()
class Test(unittest.TestCase):
    def test_it(self): pass
    def test_bad(self): self.fail()
def run():
    result = unittest.main(exit=False).result
    return [result.testsRun, len(result.failures)]
",
        "run()",
        "[2,1]",
    ),
    (
        "doctest.testmod",
        "
import doctest
def f(x):
    '''
    >>> f(1)
    2
    >>> f(2)
    3
    '''
    return x + 1
",
        "list(doctest.testmod())",
        "[0,2]",
    ),
    (
        "timeit",
        "import timeit\ncalls = []\ndef f(): calls.append(1)",
        "[timeit.timeit('f()', 'from __main__ import f', number=3) > 0, len(calls)]",
        "[true,3]",
    ),
    (
        "pickle",
        "import pickle\nclass Point: pass\np = Point(); p.x = 5",
        "pickle.loads(pickle.dumps(p)).x",
        "5",
    ),
    (
        "a pickle of another program",
        "import pickle\nclass Point: pass",
        "pickle.loads(b'c__main__\\nPoint\\n.') is Point",
        "true",
    ),
    (
        "type hints",
        "from __future__ import annotations\nimport typing\nclass A: pass\nclass B:\n a: A",
        "typing.get_type_hints(B)['a'] is A",
        "true",
    ),
    (
        "the source",
        "import inspect\nclass A: pass\ndef f(): return A",
        "[inspect.getsource(f), inspect.getsource(A)]",
        r#"["def f(): return A\n","class A: pass\n"]"#,
    ),
    (
        "a forked child",
        "
import os, pickle
class Point: pass
def run():
    ends = os.pipe()
    child = os.fork()
    if child == 0:
        import __main__
        os.write(ends[1], pickle.dumps(__main__.Point()))
        os._exit(0)
    os.waitpid(child, 0)
    return type(pickle.loads(os.read(ends[0], 1000))) is Point
",
        "run()",
        "true",
    ),
];
