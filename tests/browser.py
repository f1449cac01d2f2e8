#!/usr/bin/env python3
"""Tries the pages of a running server in a real browser, driven by Chromium's own protocol.

Usage: browser.py BROWSER URL. Fails where a page does not do what it is for, loads anything from
elsewhere, or makes the browser complain.
"""

import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request

PATIENCE = 30
HOSTILE = "<img src=//elsewhere.invalid/x onerror='window.evil = 1'>"
COMPLAINTS = {"Runtime.exceptionThrown", "Log.entryAdded", "Runtime.consoleAPICalled"}


class Browser:
    """A browser with one page, spoken to through two pipes."""

    def __init__(self, program: str, profile: str) -> None:
        flags = [
            "--headless",
            "--remote-debugging-pipe",
            f"--user-data-dir={profile}",
            "--no-first-run",
            "--disable-gpu",
            "--disable-background-networking",
        ]
        # Its own sandbox does not start as root.
        if os.geteuid() == 0:
            flags.append("--no-sandbox")
        # The browser has its pipes as 3 and 4.
        pipes = 'exec "$0" "$@" 3<&0 4>&1 </dev/null >/dev/null 2>&1'
        self.process = subprocess.Popen(
            ["/bin/sh", "-c", pipes, program, *flags, "about:blank"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self.numbers = itertools.count(1)
        self.buffer = b""
        self.events = []
        self.session = None
        target = self.ask("Target.getTargets")["targetInfos"][0]["targetId"]
        attached = self.ask("Target.attachToTarget", targetId=target, flatten=True)
        self.session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.ask(f"{domain}.enable")

    def ask(self, method: str, **params: object) -> dict:
        """Has a command carried out; keeps the events that come meanwhile."""
        number = next(self.numbers)
        message = {"id": number, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.process.stdin.fileno(), json.dumps(message).encode() + b"\0")
        while (answer := self.receive()).get("id") != number:
            self.events.append(answer)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        return answer["result"]

    def receive(self) -> dict:
        """The next message; they end with a zero."""
        while b"\0" not in self.buffer:
            some = os.read(self.process.stdout.fileno(), 1 << 16)
            if not some:
                raise RuntimeError("the browser has ended")
            self.buffer += some
        message, _, self.buffer = self.buffer.partition(b"\0")
        return json.loads(message)

    def run(self, script: str) -> object:
        """The value of an expression in the page."""
        answer = self.ask(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
        )
        if "exceptionDetails" in answer:
            raise RuntimeError(f"{script}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def until(self, script: str) -> None:
        """Waits until an expression is true."""
        end = time.monotonic() + PATIENCE
        while not self.run(script):
            if time.monotonic() > end:
                raise RuntimeError(
                    f"never true: {script}; the page says {self.run('document.body.innerText')!r}"
                )
            time.sleep(0.02)

    def open(self, url: str) -> None:
        """Opens a page and waits until it is loaded."""
        self.ask("Page.navigate", url=url)
        self.until(f"location.href === {json.dumps(url)} && document.readyState === 'complete'")


def check(holds: object, what: object) -> None:
    """Fails, and says why, where something does not hold."""
    if not holds:
        raise RuntimeError(f"not so: {what}")


def docs(browser: Browser, url: str) -> None:
    """Everything that the description names is on the page, and every link leads somewhere."""
    with urllib.request.urlopen(f"{url}/openapi.json") as answer:
        api = json.load(answer)
    browser.open(f"{url}/docs")
    browser.until("document.querySelectorAll('article').length > 0")
    titles = browser.run(
        "[...document.querySelectorAll('article h2')].map((title) => title.innerText)"
    )
    paths = [(method.upper(), path) for path, item in api["paths"].items() for method in item]
    expected = [f"{method}{path}" for method, path in paths] + list(api["components"]["schemas"])
    check(["".join(title.split()) for title in titles] == expected, titles)
    names = [
        value
        for schema in api["components"]["schemas"].values()
        for value in schema.get("enum", [])
    ]
    text = browser.run("document.body.innerText")
    check(len(names) > 20 and all(name in text for name in names), "every error type is shown")
    icon = (
        "new Promise((done) => { const image = new Image(); image.onload = () => done(true); "
        "image.onerror = () => done(false); image.src = document.querySelector('link').href; })"
    )
    check(browser.run(icon), "the page has an icon")
    dead = (
        "[...document.querySelectorAll('a')].filter((a) => a.hash && "
        "!document.getElementById(a.hash.slice(1))).map((a) => a.href)"
    )
    check(browser.run(dead) == [], browser.run(dead))


def start(browser: Browser, script: str, value: str = "") -> None:
    """Fills the form in and sends it."""
    browser.run(
        f"at('script').value = {json.dumps(script)}; at('input').value = {json.dumps(value)}"
    )
    browser.run("at('run').click()")


def shown(browser: Browser, name: str) -> str:
    """The text of one of the page's fields."""
    return browser.run(f"at({json.dumps(name)}).textContent")


def playground(browser: Browser, url: str) -> None:
    """Scripts are run, watched, stopped, and their output stays text."""
    browser.open(f"{url}/")
    browser.run("at('run').click()")
    browser.until("at('stdout').textContent === 'working 0\\n'")
    check(
        browser.run("at('run').disabled && !at('stop').disabled"),
        "only Stop can be pressed while it runs",
    )
    browser.until("at('status').textContent.startsWith('succeeded in ')")
    check(shown(browser, "result") == '{"message":"Hello, sandbox!"}', shown(browser, "result"))
    check(shown(browser, "stdout") == "working 0\nworking 1\nworking 2\n", shown(browser, "stdout"))

    start(browser, "def main(x):\n    return [x, 2**70, '],']", '{"a": 12345678901234567891}')
    browser.until("at('status').textContent.startsWith('succeeded in ')")
    exact = '[{"a":12345678901234567891},1180591620717411303424,"],"]'
    check(shown(browser, "result") == exact, shown(browser, "result"))

    script = "import sys\ndef main(x):\n    print(x)\n    print(x, file=sys.stderr)\n    1 / 0"
    start(browser, script, json.dumps(HOSTILE))
    browser.until("at('status').textContent.startsWith('failed in ')")
    check(
        "ZeroDivisionError: division by zero (line 5)" in shown(browser, "result"),
        shown(browser, "result"),
    )
    check(
        shown(browser, "stdout") == shown(browser, "stderr") == HOSTILE + "\n",
        shown(browser, "stdout"),
    )
    harmless = "window.evil === undefined && at('result').className === 'bad'"
    check(browser.run(harmless), "output is text")

    start(browser, "def main(): return 1", "{")
    browser.until("at('result').textContent.startsWith('invalid_request: ')")
    stopped(browser, url)


def stopped(browser: Browser, url: str) -> None:
    """What is stopped in the page is stopped in the server."""

    def running() -> bool:
        with urllib.request.urlopen(f"{url}/metrics") as answer:
            return b"\ncellblock_running 0\n" not in answer.read()

    start(browser, "import time\ndef main():\n    print('there', flush=True)\n    time.sleep(8)")
    browser.until("at('stdout').textContent === 'there\\n'")
    check(running(), "it runs")
    browser.run("at('stop').click()")
    browser.until("at('status').textContent === 'stopped' && !at('run').disabled")
    end = time.monotonic() + 5
    while running():
        check(time.monotonic() < end, "it runs no more")
        time.sleep(0.1)


def at_peace(browser: Browser, url: str) -> None:
    """Nothing was loaded from elsewhere, and nothing was complained about."""
    browser.run("1")
    sent = [event for event in browser.events if event["method"] == "Network.requestWillBeSent"]
    requests = [event["params"]["request"]["url"] for event in sent]
    strange = [request for request in requests if not request.startswith((f"{url}/", "data:"))]
    check(requests and not strange, strange)
    # The one request that was made to be refused, by this file.
    complaints = [event for event in browser.events if event["method"] in COMPLAINTS]
    complaints = [event for event in complaints if "status of 400" not in json.dumps(event)]
    check(not complaints, complaints)


def policy(browser: Browser, url: str) -> None:
    """The policy holds for what would get into a page all the same."""
    for page in ("/", "/docs"):
        browser.open(url + page)
        browser.run(
            "const evil = document.createElement('script'); evil.textContent = 'window.evil = 1'; "
            "document.body.append(evil)"
        )
        check(browser.run("window.evil === undefined"), f"{page}: no other script runs")
        elsewhere = "fetch('http://127.0.0.1:9/').then(() => '', (error) => error.message)"
        browser.run(elsewhere)
        told = [json.dumps(event) for event in browser.events]
        refused = [event for event in told if "Content Security Policy" in event]
        check(len(refused) >= 2, f"{page}: both are refused by the policy: {refused}")
        browser.events.clear()


def main() -> None:
    """Tries everything."""
    program, url = sys.argv[1], sys.argv[2].rstrip("/")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        browser = Browser(program, profile)
        try:
            for step in (docs, playground, at_peace, policy):
                step(browser, url)
                print(f"passed: {step.__name__}")
        finally:
            browser.process.kill()
            browser.process.wait()


if __name__ == "__main__":
    main()
