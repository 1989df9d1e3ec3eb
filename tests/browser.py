"""Chromium over its debugging pipe: opens a page and tells what a reader would see of it."""

import base64
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

SCHEMES = ("light", "dark")
TIMEOUT_S = 60


def chromium():
    """Return the path of a Chromium, None when there is none."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next((path for path in map(shutil.which, names) if path), None)


class Browser:
    """One headless Chromium without network; use as a context."""

    def __init__(self, path):
        self.home = tempfile.mkdtemp(prefix="browser-")
        ours_in, theirs_out = os.pipe()
        theirs_in, ours_out = os.pipe()
        command = [
            path,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-dev-shm-usage",
            "--remote-debugging-pipe",
            f"--user-data-dir={self.home}",
            "about:blank",
        ]
        # the pipe is fixed to descriptors 3 (commands) and 4 (answers)
        script = f'exec 3<&{theirs_in} 4>&{theirs_out}; exec "$@"'
        self.process = subprocess.Popen(
            ["/bin/bash", "-c", script, "bash", *command],
            pass_fds=(theirs_in, theirs_out),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(theirs_in)
        os.close(theirs_out)
        self.answers = os.fdopen(ours_in, "rb", buffering=0)
        self.commands = os.fdopen(ours_out, "wb", buffering=0)
        self.buffer = b""
        self.number = 0
        self.events = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self.session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable", session=self.session)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.process.terminate()
        self.process.wait(timeout=TIMEOUT_S)
        self.answers.close()
        self.commands.close()
        shutil.rmtree(self.home, ignore_errors=True)

    def _message(self):
        while b"\0" not in self.buffer:
            part = self.answers.read(1 << 20)
            assert part, "expected Chromium to answer"
            self.buffer += part
        text, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(text)

    def call(self, method, *, session=None, **params):
        """Send one command and return its result; events on the way are kept."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        if session:
            message["sessionId"] = session
        self.commands.write(json.dumps(message).encode() + b"\0")
        while True:
            answer = self._message()
            if answer.get("id") == self.number:
                assert "error" not in answer, answer["error"]
                return answer["result"]
            if "method" in answer:
                self.events.append(answer)

    def evaluate(self, expression, *, is_promise=False):
        """Return the value of an expression in the page."""
        answer = self.call(
            "Runtime.evaluate",
            session=self.session,
            expression=expression,
            awaitPromise=is_promise,
            returnByValue=True,
        )
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def open(self, path: Path, *, width, height=900, scheme="light"):
        """Open a file at a width and colour scheme and wait until its figures are drawn."""
        self.events.clear()
        self.call(
            "Emulation.setDeviceMetricsOverride",
            session=self.session,
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,
        )
        self.call(
            "Emulation.setEmulatedMedia",
            session=self.session,
            features=[{"name": "prefers-color-scheme", "value": scheme}],
        )
        self.call("Page.navigate", session=self.session, url=path.as_uri())
        while not any(event["method"] == "Page.loadEventFired" for event in self.events):
            self.events.append(self._message())
        self.drawn(scheme)

    def drawn(self, scheme):
        """Wait until every figure stands in the colours of ``scheme``."""
        wait = (
            "new Promise(done => {let left = 1500; const look = () => "
            f"document.documentElement.getAttribute('data-drawn') === '{scheme}' "
            "? done(true) : left-- ? setTimeout(look, 20) : done(false); look();})"
        )
        assert self.evaluate(wait, is_promise=True), f"expected figures drawn: {self.complaints()}"

    def complaints(self):
        """Return uncaught errors, console errors and refusals of the policy since `open`."""
        out = []
        for event in self.events:
            params = event["params"]
            if event["method"] == "Runtime.exceptionThrown":
                out.append(params["exceptionDetails"]["text"])
            elif event["method"] == "Runtime.consoleAPICalled" and params["type"] == "error":
                out.append(str(params["args"]))
            elif event["method"] == "Log.entryAdded" and params["entry"]["level"] == "error":
                out.append(params["entry"]["text"])
        return out

    def requests(self):
        """Return the addresses that were asked for since `open`, inline content left out."""
        urls = [
            event["params"]["request"]["url"]
            for event in self.events
            if event["method"] == "Network.requestWillBeSent"
        ]
        return [url for url in urls if not url.startswith(("data:", "blob:"))]

    def picture(self, *, clip=None):
        """Return a PNG of the page, or of (x, y, width, height) of it."""
        more = {}
        if clip:
            x, y, width, height = clip
            more["clip"] = {"x": x, "y": y, "width": width, "height": height, "scale": 1}
        answer = self.call(
            "Page.captureScreenshot",
            session=self.session,
            format="png",
            captureBeyondViewport=True,
            **more,
        )
        return base64.b64decode(answer["data"])
