"""A distribution's Firefox, spoken to over its own protocol, Marionette: messages of JSON, each
with its length before it. Playwright drives a Firefox of its own making only.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from tests.machine import FIREFOX, lacks

PATIENCE_S = 60.0
PREFERENCES = {
    "datareporting.policy.dataSubmissionEnabled": False,
    "intl.accept_languages": "zh-CN",
    "media.autoplay.blocking_policy": 0,
    "media.autoplay.default": 0,
    "media.navigator.permission.disabled": True,
    "media.navigator.streams.fake": True,  # a camera that shows a test picture
    "remote.prefs.recommended": True,
}


def found_firefox() -> str:
    return next(filter(None, map(shutil.which, ("firefox-esr", "firefox"))), None) or lacks(FIREFOX)


class Firefox:
    """One window; what is evaluated runs in the tab that was gone to last."""

    def __init__(self, port: int) -> None:
        self._line = _connected(port)
        self._rest = b""
        self._calls = 0
        self._next()  # who it is
        self.call("WebDriver:NewSession", capabilities={"alwaysMatch": {}})
        self.call("WebDriver:SetTimeouts", script=int(PATIENCE_S * 1000))

    def call(self, command: str, **parameters: Any) -> Any:
        self._calls += 1
        message = json.dumps([0, self._calls, command, parameters]).encode()
        self._line.sendall(b"%d:%s" % (len(message), message))
        _, _, error, result = self._next()
        assert error is None, (command, error)
        return result

    def close(self) -> None:
        self._line.close()

    def goes_to(self, url: str) -> None:
        self.call("WebDriver:Navigate", url=url)

    def evaluate(self, expression: str) -> Any:
        """The value of an expression; of a promise, what it comes to."""
        script = f"const done = arguments[0]; Promise.resolve({expression}).then(done)"
        return self.call("WebDriver:ExecuteAsyncScript", script=script, args=[])["value"]

    def until(self, condition: str) -> None:
        ends = time.monotonic() + PATIENCE_S
        while not self.evaluate(f"Boolean({condition})"):
            assert time.monotonic() < ends, f"never came true: {condition}"
            time.sleep(0.05)

    def presses(self, key: str) -> None:
        keys = [{"type": kind, "value": key} for kind in ("keyDown", "keyUp")]
        self.call("WebDriver:PerformActions", actions=[{"type": "key", "id": "k", "actions": keys}])

    def clicks_at(self, x: float, y: float) -> None:
        move = {"type": "pointerMove", "x": round(x), "y": round(y), "origin": "viewport"}
        press = [{"type": kind, "button": 0} for kind in ("pointerDown", "pointerUp")]
        pointer = {"type": "pointer", "id": "p", "actions": [move, *press]}
        self.call("WebDriver:PerformActions", actions=[pointer])

    def tabs(self) -> list[str]:
        handles: list[str] = self.call("WebDriver:GetWindowHandles")
        return handles

    def opens_tab(self) -> str:
        handle = str(self.call("WebDriver:NewWindow", type="tab", focus=True)["handle"])
        self.to_front(handle)
        return handle

    def to_front(self, handle: str) -> None:
        self.call("WebDriver:SwitchToWindow", handle=handle, focus=True)

    def _next(self) -> Any:
        """The next message; before a message of N bytes stands "N:"."""
        while b":" not in self._rest:
            self._read()
        size, _, self._rest = self._rest.partition(b":")
        while len(self._rest) < int(size):
            self._read()
        message, self._rest = self._rest[: int(size)], self._rest[int(size) :]
        return json.loads(message)

    def _read(self) -> None:
        read = self._line.recv(1 << 16)
        assert read, "the browser is gone"
        self._rest += read


def _connected(port: int) -> socket.socket:
    ends = time.monotonic() + PATIENCE_S
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
        except ConnectionRefusedError:
            assert time.monotonic() < ends, "the browser did not come up"
            time.sleep(0.1)


@contextmanager
def firefox(profile: Path) -> Iterator[Firefox]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    wanted = PREFERENCES | {"marionette.port": port}
    lines = [f"user_pref({json.dumps(name)}, {json.dumps(it)});" for name, it in wanted.items()]
    (profile / "user.js").write_text("\n".join(lines), encoding="utf-8")
    command = [found_firefox(), "-headless", "-marionette", "-no-remote", "-profile", str(profile)]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(command, env={**os.environ, "HOME": str(profile)}, **quiet)  # type: ignore[call-overload]
    try:
        with closing(Firefox(port)) as browser:
            yield browser
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
