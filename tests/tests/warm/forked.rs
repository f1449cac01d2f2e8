//! What a fork leaves of an interpreter, and what preloaded modules asked to be told of it.

use cellblock_tests::{Case, Engine, each_python};

/// As `os.fork` would have left it, though hardly any hook is called.
const AS_AFTER_A_FORK: &str = "\
import concurrent.futures, logging, os, random, sys, threading
def main():
    main_thread = threading.main_thread()
    logging.getLogger('x').warning('y')
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        squares = list(pool.map(lambda number: number * number, range(5)))
    child = os.fork()
    if child == 0:
        os._exit(7 * (threading.current_thread() is main_thread))
    return {
        'thread': threading.current_thread() is main_thread,
        'native id': main_thread.native_id == threading.get_native_id() == os.getpid(),
        'ident': main_thread.ident == threading.get_ident(),
        'threads': threading.active_count(),
        'squares': squares,
        'child': os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]),
        'register': type(os.register_at_fork).__name__,
    }
";

/// Python 3.12 knows immortal objects: what a cell does not write to, it need not copy.
const IMMORTAL: &str = "\
import json, sys, pandas
def main():
    counts = [sys.getrefcount(thing) for thing in (json.dumps, pandas.DataFrame, main)]
    known = sys.version_info >= (3, 12)
    return [(count > 1 << 30) == expected for count, expected in zip(counts, (known, known, False))]
";

/// The interpreter's code is memory of the zygote, and nobody can write to it; all other is in its
/// files, and the data of packages is not.
const CODE: &str = "\
import pandas
def main():
    lines = [line.split() for line in open('/proc/self/maps')]
    files = [line[5] for line in lines if 'x' in line[1] and len(line) > 5 and line[5][0] == '/']
    return {
        'c library': sum('/libc.so' in file for file in files),
        'interpreter': sum('python' in file.split('/')[-1].split('.cpython')[0] for file in files),
        'pandas': sum('/pandas/' in file for file in files) > 10,
        'data of pandas': sum('w' in line[1] and '/pandas/' in line[-1] for line in lines),
        'executable and writable': sum('w' in line[1] and 'x' in line[1] for line in lines),
    }
";

/// Small blocks of all sizes lie side by side, and each keeps what it holds: while blocks come, grow,
/// shrink and go, more of them than there is room for, with other threads at it, one of which may be
/// another interpreter with a lock of its own, and with tracemalloc in between.
const PACKED: &str = "\
import threading, tracemalloc
CHURN = '''
def churn(seed, rounds):
    wrong, kept = 0, {}
    for step in range(rounds):
        seed = (seed * 1103515245 + 12345) % (1 << 31)
        key, length = seed % 997, seed // 997 % 700
        old = kept.pop(key, None)
        if old is not None:
            byte, block, row = old
            wrong += block.count(byte) != len(block) or row != [byte] * len(row)
        block, row = bytearray([key % 256]) * (length // 2), []
        block.extend([key % 256] * (length - len(block)))
        row.extend([key % 256] * (length // 8))
        row.append(key % 256)
        del block[length // 3:]
        kept[key] = (key % 256, block, row)
    return wrong
'''
exec(CHURN)
def other_interpreter():
    try:
        import _interpreters
    except ImportError:
        return churn(1, 1_000)
    made = _interpreters.create('isolated')
    failed = _interpreters.run_string(made, CHURN + 'assert churn(7, 30_000) == 0')
    _interpreters.destroy(made)
    return failed
def main():
    blocks = [bytes(size) for _ in range(20) for size in range(16, 480, 16)]
    near = sum(abs(id(one) - id(next)) < 4096 for one, next in zip(blocks, blocks[1:]))
    answers = []
    work = [lambda: churn(2, 30_000), lambda: churn(3, 30_000), other_interpreter]
    threads = [threading.Thread(target=lambda job=job: answers.append(job())) for job in work]
    for thread in threads:
        thread.start()
    mine = churn(5, 60_000)
    for thread in threads:
        thread.join()
    tracemalloc.start()
    traced = churn(6, 5_000)
    seen = tracemalloc.get_traced_memory()[1] > 0
    tracemalloc.stop()
    return [near > len(blocks) // 4, mine, traced, seen, churn(8, 5_000), [answer or 0 for answer in answers]]
";

#[test]
fn a_cell_is_as_a_fork_leaves_it() {
    each_python(Engine::Warm, |setup, report| {
        let server = setup.start();
        Case::new("threads, locks, children", AS_AFTER_A_FORK)
            .returns(concat!(
                r#"{"thread":true,"native id":true,"ident":true,"threads":1,"#,
                r#""squares":[0,1,4,9,16],"child":7,"register":"builtin_function_or_method"}"#
            ))
            .run(&server, report);
        Case::new("loaded objects are immortal", IMMORTAL)
            .returns("[true,true,true]")
            .run(&server, report);
        Case::new("small memory lies together", PACKED)
            .returns("[true,0,0,true,0,[0,0,0]]")
            .run(&server, report);
        Case::new("code and data are where a fork finds them", CODE)
            .returns(concat!(
                r#"{"c library":1,"interpreter":0,"pandas":true,"data of pandas":0,"#,
                r#""executable and writable":0}"#
            ))
            .run(&server, report);
        server.stop(report);
    });
}

#[test]
fn hooks_of_others_are_called() {
    each_python(Engine::Warm, |setup, report| {
        let exercise = "import os, sys\nsys.told = []\n\
             os.register_at_fork(after_in_child=lambda: sys.told.append(os.getpid()))\n";
        let server = setup
            .clone()
            .set("environments.default", "exercise", format!("{exercise:?}"))
            .start();
        Case::new(
            "once, in the cell",
            "import sys\ndef main():\n    return sys.told\n",
        )
        .returns("[2]")
        .run(&server, report);
        server.stop(report);
    });
}
