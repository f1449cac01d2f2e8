//! What the script is, and where it finds itself.

use cellblock_tests::Case;

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(
            "identity",
            "
            import linecache, sys
            def main():
                return [__name__, __file__, sys.modules['script'] is sys.modules[main.__module__],
                        sys.argv, linecache.getline('script.py', 2)]
            ",
        )
        .returns(r#"["script","script.py",true,["script.py"],"def main():\n"]"#),
        Case::new(
            "the usual guard does not run",
            "
            def main():
                return 1
            if __name__ == '__main__':
                print('ran')
            ",
        )
        .returns("1"),
        Case::new(
            "the module body runs once, before main",
            "
            print('body')
            counter = []
            counter.append(1)
            def main():
                print('main')
                return counter
            ",
        )
        .returns("[1]")
        .prints("body\nmain\n"),
        Case::new(
            "dataclasses, enums, pickles, hints and sources",
            "
            from __future__ import annotations
            import dataclasses, enum, inspect, pickle, typing
            @dataclasses.dataclass
            class Point:
                x: int
                y: typing.Optional[Point] = None
            class Color(enum.Enum):
                RED = 1
            def main():
                assert pickle.loads(pickle.dumps(Point(1))) == Point(1)
                assert pickle.loads(pickle.dumps(Color.RED)) is Color.RED
                assert typing.get_type_hints(Point)['y'] == typing.Optional[Point]
                return [inspect.getsource(main)[:11], inspect.getsource(Point)[:10]]
            ",
        )
        .returns(r#"["def main():","@dataclass"]"#),
        Case::new(
            "a byte order mark and CRLF",
            "\u{feff}def main():\r\n    return 1\r\n",
        )
        .returns("1"),
        Case::new(
            "it recurses as deep as a program that is run by itself",
            "
            import sys
            def down(n):
                try:
                    return down(n + 1)
                except RecursionError:
                    return n
            module = down(1)
            def main():
                ours = down(1)
                sys.setrecursionlimit(3000)
                return [module, ours, down(1)]
            ",
        )
        .returns("[999,998,2998]"),
        Case::new(
            "names beyond ASCII",
            "größe = 'ü'\ndef main(): return größe",
        )
        .returns("\"ü\""),
        Case::new(
            "the working directory",
            "
            import os, tempfile
            def main():
                found = [os.getcwd(), os.environ['HOME'], tempfile.gettempdir(), os.listdir('.')]
                os.makedirs('a/b')
                with open('a/b/c', 'w') as file:
                    file.write('kept')
                return found + [open('/tmp/a/b/c').read()]
            ",
        )
        .returns(r#"["/tmp","/tmp","/tmp",[],"kept"]"#),
        Case::new(
            "nothing is left of it",
            "import os\ndef main(): return os.listdir('/tmp')",
        )
        .returns("[]"),
        Case::new(
            "nothing else can be written",
            "
            import os
            PLACES = '/', '/python', '/packages', '/usr', '/etc', '/dev', '/proc', '/cellblock'
            def main():
                written = []
                for place in PLACES:
                    try:
                        os.close(os.open(place + '/x', os.O_WRONLY | os.O_CREAT))
                        written.append(place)
                    except OSError:
                        pass
                return written
            ",
        )
        .returns("[]"),
        Case::new(
            "nothing of the server's environment",
            "
            import os
            def main():
                return [name for name in os.environ
                        if 'CELLBLOCK' in name or 'TEST' in name or name.startswith('LD_')]
            ",
        )
        .returns("[]"),
        Case::value(
            "import numpy, pandas",
            "[numpy.arange(3).sum(), len(pandas.DataFrame())]",
            "[3,0]",
        ),
        Case::value(
            "import sqlite3, decimal, zoneinfo, hashlib, zlib, lzma, bz2, csv, datetime",
            "sqlite3.connect(':memory:').execute('select 40 + 2').fetchone()",
            "[42]",
        ),
        Case::value(
            "import datetime, zoneinfo",
            "datetime.datetime(2024, 7, 1, tzinfo=zoneinfo.ZoneInfo('Europe/Berlin')).isoformat()",
            "\"2024-07-01T00:00:00+02:00\"",
        ),
    ]
}
