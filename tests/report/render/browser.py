"""A real browser without a window, driven over two pipes with its DevTools protocol: no port, no driver, no package."""

import base64
import json
import os
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--no-first-run",
    "--hide-scrollbars",
    "--lang=en",
    "--remote-debugging-pipe",
)
_PLACE_PIPES = (
    "import os, sys; os.dup2(int(sys.argv[1]), 3); os.dup2(int(sys.argv[2]), 4); os.execv(sys.argv[3], sys.argv[3:])"
)
"""The browser reads what it is asked from 3 and answers on 4."""

_PATIENCE = 300.0


class Browser:
    """One tab, and everything that it reported since it was made."""

    def __init__(self, asks: int, answers: int) -> None:
        self._asks = asks
        self._answers = answers
        self._text = b""
        self._number = 0
        self._session: str | None = None
        self.events: list[dict[str, Any]] = []
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.ask(f"{domain}.enable")

    def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Return what the browser answers; what it reports meanwhile is kept."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._asks, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._number:
                assert "error" not in answer, f"{method}: {answer['error']}"
                result: dict[str, Any] = answer["result"]
                return result
            self.events.append(answer)

    def wait_for(self, event: str) -> None:
        """Read on until the browser reports something that it has not reported since the last page."""
        while not any(message["method"] == event for message in self.events):
            self.events.append(self._next())

    def show(self, path: Path, *, width: int = 1280, height: int = 900, scheme: str = "light") -> None:
        """Open a file, in a window of a size and with a preference for light or dark."""
        self.resize(width, height)
        self.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.events.clear()
        self.ask("Page.navigate", url=path.as_uri())
        self.wait_for("Page.loadEventFired")
        self.settle()

    def resize(self, width: int, height: int) -> None:
        """Give the window another size."""
        self.ask(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )

    def settle(self) -> None:
        """Wait until what was asked for has been painted."""
        self.run("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done))))")

    def run(self, script: str) -> Any:
        """Return what an expression comes to."""
        evaluated = self.ask("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in evaluated, evaluated["exceptionDetails"]
        return evaluated["result"].get("value")

    def mouse(self, kind: str, left: float, top: float, **more: Any) -> None:
        """Move the pointer, press or release its button."""
        self.ask("Input.dispatchMouseEvent", type=kind, x=left, y=top, **more)

    def drag(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        """Press, move and release."""
        held: dict[str, Any] = {"button": "left", "buttons": 1, "clickCount": 1}
        self.mouse("mouseMoved", *start)
        self.mouse("mousePressed", *start, **held)
        self.mouse("mouseMoved", (start[0] + end[0]) / 2, end[1], **held)
        self.mouse("mouseMoved", *end, **held)
        self.mouse("mouseReleased", *end, **held)
        self.settle()

    def click(self, left: float, top: float, *, times: int = 1) -> None:
        """Click once, or more often in quick succession."""
        for count in range(1, times + 1):
            for kind in ("mousePressed", "mouseReleased"):
                self.mouse(kind, left, top, button="left", buttons=1, clickCount=count)
        self.settle()

    def picture(self, path: Path, *, whole: bool = False) -> None:
        """Write what is seen as a PNG."""
        picture = self.ask("Page.captureScreenshot", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(picture["data"]))

    def complaints(self) -> list[str]:
        """Return every error and warning that the page gave rise to, those of its security policy too."""
        complaints = []
        for message in self.events:
            about = message["params"]
            if message["method"] == "Runtime.exceptionThrown":
                complaints.append(str(about["exceptionDetails"]))
            elif message["method"] == "Log.entryAdded":
                complaints.append(str(about["entry"]["text"]))
            elif message["method"] == "Runtime.consoleAPICalled":
                complaints.append(str(about["args"]))
        return complaints

    def requests(self) -> list[str]:
        """Return what the page asked for."""
        return [
            message["params"]["request"]["url"]
            for message in self.events
            if message["method"] == "Network.requestWillBeSent"
        ]

    def _next(self) -> dict[str, Any]:
        end = time.monotonic() + _PATIENCE
        while b"\0" not in self._text:
            ready, _, _ = select.select([self._answers], [], [], max(end - time.monotonic(), 0))
            assert ready, "the browser does not answer"
            got = os.read(self._answers, 1 << 20)
            assert got, "the browser has ended"
            self._text += got
        line, _, self._text = self._text.partition(b"\0")
        message: dict[str, Any] = json.loads(line)
        return message


@contextmanager
def browser(folder: Path) -> Iterator[Browser]:
    """Start the browser with a profile of its own, and end it."""
    assert PROGRAM is not None, "there is no browser"
    to_read, asks = os.pipe()
    answers, to_write = os.pipe()
    command = [sys.executable, "-c", _PLACE_PIPES, str(to_read), str(to_write)]
    with (folder / "browser.log").open("wb") as log:
        process = subprocess.Popen(
            [*command, PROGRAM, *_FLAGS, f"--user-data-dir={folder / 'profile'}"],
            pass_fds=(to_read, to_write),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**os.environ, "TZ": "Asia/Tokyo", "HOME": str(folder)},
        )
    os.close(to_read)
    os.close(to_write)
    try:
        yield Browser(asks, answers)
    finally:
        os.close(asks)  # the browser ends when nobody can ask it any more
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        os.close(answers)
        shutil.rmtree(folder / "profile", ignore_errors=True)  # tens of megabytes
