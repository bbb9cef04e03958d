"""Zhenxue for a platform's server: open a sitting, forward what the player tells, close it, verify
webhooks. Python 3.9 or later, standard library only; copy the file, or `pip install` its folder.

    zhenxue = Zhenxue("https://zhenxue.example", key)
    sitting = zhenxue.open(learner_id="lin", class_id="2026-018", lesson_id="w1",
                           device_id="phone-1", window_id="tab-1")
    sitting.add("progress", at_ms=..., position=10.0, rate=1, visible=True, focused=True)
    sitting.flush()         # what the page has to do now is in sitting.controls
    sitting.close("finished")

Every call is sent again until it is answered, for `patience_s`: after 503 and 429 as late as the
service says, after silence twice as late each time. Sent again it counts once: a sitting by its
`session_id`, a batch by its `batch_id`, a photo by its `snapshot_id`. What was not acknowledged
stays in the sitting and goes with the next `flush`; to outlive your process, keep events in your
own queue and hand them to `Zhenxue.forward` under a `batch_id` of your own.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import http.client
import json
import random
import time
import urllib.error
import urllib.request
import uuid
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, Callable, Iterable, Mapping, Optional, Sequence, Union
from urllib.parse import quote, urlencode

__version__ = "0.2.0"
MOST_EVENTS = 1000  # in one batch
TRY_AGAIN = frozenset({408, 429, 502, 503, 504})


class ZhenxueError(Exception):
    """Of this client."""


class Refused(ZhenxueError):
    """The service answered no. `code` is for programs; `problem` is the whole answer."""

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        super().__init__(f"{status} {problem.get('code')}: {problem.get('detail')}")
        self.status, self.problem = status, problem
        self.code: Optional[str] = problem.get("code")


class Unanswered(ZhenxueError):
    """Nobody answered within the patience. Call again: it counts once."""


class BadSignature(ZhenxueError):
    """A webhook that this service did not sign, or signed too long ago."""


class Zhenxue:
    """A platform's service, by its address and API key. Safe in several threads."""

    def __init__(
        self,
        address: str,
        key: str,
        *,
        timeout_s: float = 30.0,
        patience_s: float = 300.0,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._address = address.rstrip("/")
        self._authorization = f"Bearer {key}"
        self._timeout_s, self._patience_s, self._sleep = timeout_s, patience_s, sleep

    def open(
        self,
        *,
        learner_id: str,
        class_id: str,
        lesson_id: str,
        device_id: str,
        window_id: str,
        session_id: Optional[str] = None,
        **more: Any,
    ) -> Sitting:
        """Open a sitting, or renew the open one of that `session_id`. Raises Refused, with code
        `concurrent_session`, `lesson_locked` or `outside_class_dates` among others."""
        terms = {
            "session_id": session_id or uuid.uuid4().hex,
            "learner_id": learner_id,
            "class_id": class_id,
            "lesson_id": lesson_id,
            "device_id": device_id,
            "window_id": window_id,
            **more,
        }
        return Sitting(self, self.call("POST", "/v1/sessions", terms))

    def forward(
        self, events: Iterable[Mapping[str, Any]], batch_id: Optional[str] = None
    ) -> list[dict[str, Any]]:
        """Events of any number of sittings, each with its `session_id` and without `seq`; the
        answers, one for each thousand. Under the same `batch_id` the same events count once."""
        waiting, name = list(events), batch_id or uuid.uuid4().hex
        parts = [waiting[at : at + MOST_EVENTS] for at in range(0, len(waiting), MOST_EVENTS)]
        return [
            self.call("POST", "/v1/events", {"batch_id": _part(name, n), "events": part})
            for n, part in enumerate(parts)
        ]

    def sitting(self, session_id: str) -> dict[str, Any]:
        """State, credited intervals, controls, and the verdict once there is one."""
        return self.call("GET", f"/v1/sessions/{quote(session_id, safe='')}")

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        content_type: str = "application/json",
    ) -> dict[str, Any]:
        """Any operation of /openapi.json; `body` as JSON, or bytes as they are. Raises Refused and
        Unanswered."""
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        until, wait_s = time.monotonic() + self._patience_s, 0.5
        while True:
            problem: dict[str, Any] = {}
            try:
                return self._once(method, path, data, content_type)
            except urllib.error.HTTPError as error:
                problem = _problem(error)
                if error.code not in TRY_AGAIN:
                    raise Refused(error.code, problem) from None
                silence = f"{error.code} {problem.get('detail', '')}"
            except (OSError, http.client.HTTPException, ValueError) as error:
                silence = repr(error)
            told_s = problem.get("retry_after_s")
            pause_s = random.uniform(wait_s / 2, wait_s) if told_s is None else float(told_s)
            if time.monotonic() + pause_s > until:
                raise Unanswered(f"{method} {path}: {silence}")
            self._sleep(pause_s)
            wait_s = min(30.0, wait_s * 2)

    def _once(
        self, method: str, path: str, data: Optional[bytes], content_type: str
    ) -> dict[str, Any]:
        headers = {"authorization": self._authorization, "content-type": content_type}
        request = urllib.request.Request(
            self._address + path, data=data, headers=headers, method=method
        )
        with urllib.request.urlopen(request, timeout=self._timeout_s) as answer:
            found: dict[str, Any] = json.loads(answer.read() or b"{}")
            return found


class Sitting:
    """An open sitting. Not for several threads at once.

    `lease` is for a browser: its token writes to this sitting alone. `controls` is what the page
    has to do now, of the last answer. `rejected` are events that the service refused, with reasons.
    """

    def __init__(self, zhenxue: Zhenxue, opened: Mapping[str, Any]) -> None:
        self._zhenxue = zhenxue
        self.session_id: str = opened["session_id"]
        self.lease: Mapping[str, Any] = opened["lease"]
        self.resume_position: float = opened["resume_position"]
        self.controls: Mapping[str, Any] = opened["controls"]
        self.accepted = self.duplicates = 0
        self.rejected: list[Mapping[str, Any]] = []
        self._path = f"/v1/sessions/{quote(self.session_id, safe='')}"
        self._waiting: list[dict[str, Any]] = []
        self._sent: list[tuple[str, list[dict[str, Any]]]] = []  # named, not acknowledged

    def add(self, type: str, at_ms: int, **fields: Any) -> None:
        """Keep an event for the next `flush`."""
        self._waiting.append({"type": type, "at_ms": at_ms, **fields})

    def flush(self) -> Mapping[str, Any]:
        """Send what waits; the controls that are due. Raises Unanswered and keeps what was not
        acknowledged, under the name by which it is known again. Raises Refused where the sitting
        takes no more: the events then stand in `rejected`."""
        while self._waiting:
            batch, self._waiting = self._waiting[:MOST_EVENTS], self._waiting[MOST_EVENTS:]
            self._sent.append((uuid.uuid4().hex, batch))
        while self._sent:
            name, batch = self._sent[0]
            try:
                self._send(name, batch)
            except Refused as refused:
                if refused.status in (401, 403):  # another key, and they go
                    raise
                self._sent.pop(0)
                told = refused.problem.get("errors") or [
                    {"index": n, "code": refused.code, "detail": refused.problem.get("detail")}
                    for n in range(len(batch))
                ]
                self._reject(batch, told)
                if refused.code != "no_event_accepted":
                    raise
            else:
                self._sent.pop(0)
        return self.controls

    def _send(self, name: str, batch: Sequence[Mapping[str, Any]]) -> None:
        body = {"batch_id": name, "events": batch}
        answer = self._zhenxue.call("POST", f"{self._path}/events", body)
        self.accepted += answer["accepted"]
        self.duplicates += answer["duplicates"]
        self.controls = answer["controls"]
        self._reject(batch, answer["rejected"])

    def _reject(
        self, batch: Sequence[Mapping[str, Any]], told: Iterable[Mapping[str, Any]]
    ) -> None:
        self.rejected += [{**it, "event": batch[it["index"]]} for it in told if "index" in it]

    def report_controls(self, *controls: Mapping[str, Any]) -> dict[str, Any]:
        """Pop-ups, photos and face checks that the platform asked for itself, in a class with
        `controls: platform`: control, challenge_id, issued_at_ms, shown_at_ms, answered_at_ms."""
        return self._zhenxue.call("POST", f"{self._path}/controls", {"controls": list(controls)})

    def photo(
        self,
        snapshot_id: str,
        picture: bytes,
        *,
        purpose: str,
        taken_at_ms: int,
        content_type: str = "image/jpeg",
        **asked: Union[str, int],
    ) -> dict[str, Any]:
        """A photo (JPEG, PNG, HEIC, WebP, BMP); `challenge_id` and `frame` of whoever asked."""
        query = urlencode({"purpose": purpose, "taken_at_ms": taken_at_ms, **asked})
        path = f"{self._path}/snapshots/{quote(snapshot_id, safe='')}?{query}"
        return self._zhenxue.call("PUT", path, picture, content_type=content_type)

    def close(self, reason: str = "closed") -> None:
        """Send what waits, and end the sitting; closing twice changes nothing."""
        self.flush()
        self._zhenxue.call("POST", f"{self._path}/close", {"reason": reason})


def _part(name: str, n: int) -> str:
    return name if n == 0 else f"{name}/{n}"


def _problem(error: urllib.error.HTTPError) -> dict[str, Any]:
    """The problem of an answer; a proxy's own says at most when to come again."""
    try:
        with error:
            told = json.loads(error.read())
        if isinstance(told, dict):
            return told
    except (OSError, http.client.HTTPException, ValueError):
        pass
    seconds = error.headers.get("retry-after", "")
    return {"retry_after_s": int(seconds)} if seconds.isdigit() else {}


@dataclass(frozen=True)
class Message:
    """A webhook that this service signed. The same `id` again is the same message again."""

    id: str
    type: str
    data: Mapping[str, Any]


class Webhooks:
    """Verifies webhooks (Standard Webhooks). `secrets`: one `whsec_…`, or while it is exchanged
    the new and the former one."""

    def __init__(
        self, *secrets: str, tolerance_s: int = 300, now: Callable[[], float] = time.time
    ) -> None:
        if not secrets:
            raise ValueError("a secret is needed")
        self._keys = [base64.b64decode(it[6:] if it.startswith("whsec_") else it) for it in secrets]
        self._tolerance_s, self._now = tolerance_s, now
        self._handled: OrderedDict[str, None] = OrderedDict()

    def verify(self, headers: Mapping[str, str], body: bytes) -> Message:
        """The message. `headers` by whatever case, `body` as it came. Raises BadSignature."""
        head = {name.lower(): value for name, value in headers.items()}
        try:
            name, when = head["webhook-id"], head["webhook-timestamp"]
            given = head["webhook-signature"].split()
            age_s = abs(self._now() - int(when))
        except (KeyError, ValueError):
            raise BadSignature("the headers of a webhook are missing") from None
        if age_s > self._tolerance_s:
            raise BadSignature(f"signed {age_s:.0f} s from now")
        signed = f"{name}.{when}.".encode() + body
        due = [hmac.new(key, signed, hashlib.sha256).digest() for key in self._keys]
        if not any(hmac.compare_digest(it, mac) for it in map(_mac, given) for mac in due):
            raise BadSignature("signed with another secret, or altered")
        told = json.loads(body)
        return Message(name, told["type"], told["data"])

    def handle(
        self, headers: Mapping[str, str], body: bytes, handler: Callable[[Message], object]
    ) -> bool:
        """Verify, and hand to `handler` what was not handled before; whether it was new. The last
        10,000 are remembered in memory: with several processes keep the ids in your database."""
        message = self.verify(headers, body)
        if message.id in self._handled:
            return False
        handler(message)
        self._handled[message.id] = None
        if len(self._handled) > 10_000:
            self._handled.popitem(last=False)
        return True


def _mac(signature: str) -> bytes:
    version, _, told = signature.partition(",")
    try:
        return base64.b64decode(told) if version == "v1" else b""
    except binascii.Error:
        return b""
