"""A service small enough to read: it takes what the wire contract names and issues its controls."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from app.simulation.transport import Reply

FIRST_POPUP_S = 190.0


@dataclass
class FakeService:
    """An HTTP client that is its own server; `now_s` is the server's clock.

    A pop-up is due every 190 s of play told, unless `stops_after_s` ends the sitting first.
    """

    stops_after_s: float = float("inf")
    one_at_a_time: bool = False
    now_s: float = 0.0
    calls: list[tuple[str, str]] = field(default_factory=list)
    sessions: dict[str, dict[str, Any]] = field(default_factory=dict)
    photos: list[dict[str, str]] = field(default_factory=list)
    reported: list[dict[str, Any]] = field(default_factory=list)
    answered: list[str] = field(default_factory=list)
    mark_s: float = 0.0

    def advance(self, seconds: float) -> None:
        self.now_s += seconds

    def request(
        self, method: str, url: str, *, content: bytes | None, headers: Mapping[str, str]
    ) -> Reply:
        assert headers["Authorization"] == "Bearer key-1"
        parts = urlsplit(url)
        self.calls.append((method, parts.path))
        status, body = self._answer(method, parts.path.split("/")[2:], parts.query, content)
        return Reply(status, json.dumps(body).encode())

    def _answer(
        self, method: str, path: list[str], query: str, content: bytes | None
    ) -> tuple[int, dict[str, Any]]:
        if path == ["sessions"]:
            return self._open(json.loads(content or b""))
        if path[0] != "sessions":
            return 200, {}
        session = self.sessions[path[1]]
        if path[2:] == ["events"]:
            return 200, {"accepted": 1, "rejected": [], "controls": self._take(session, content)}
        if path[2:] == ["close"]:
            session["state"] = "closed"
            return 202, {}
        if path[2:] == ["controls"]:
            self.reported += json.loads(content or b"")["controls"]
            return 200, {}
        if path[2:3] == ["snapshots"]:
            assert content is not None and content.startswith(b"photo")
            self.photos.append({name: values[0] for name, values in parse_qs(query).items()})
            return 202, {}
        assert method == "GET"
        return 200, {"state": session["state"]}

    def _open(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if self.one_at_a_time and any(s["state"] == "open" for s in self.sessions.values()):
            return 409, {"code": "concurrent_session"}
        session = {
            **body, "state": "open", "opened_s": self.now_s, "due_s": FIRST_POPUP_S, "popup": None,
            "events": [],
        }  # fmt: skip
        self.sessions[body["session_id"]] = session
        check = {"challenge_id": f"face-{len(self.sessions)}", "nonce": "n", "actions": ["blink"]}
        controls = {"face_check": {**check, "window_s": 40}}
        return 201, {"resume_position": self.mark_s, "controls": controls}

    def _take(self, session: dict[str, Any], content: bytes | None) -> dict[str, Any]:
        for event in json.loads(content or b"")["events"]:
            session["events"].append(event)
            self.mark_s = max(self.mark_s, event.get("position", 0.0))
            popup = session["popup"]
            if event["type"] == "popup_answered" and event["nonce"] == popup["nonce"]:
                self.answered.append(event["challenge_id"])
                session["due_s"] += FIRST_POPUP_S
                session["popup"] = None
        if self.now_s - session["opened_s"] > self.stops_after_s:
            session["state"] = "expired"
            return {"stop": {"code": "popup_unanswered", "text": "再次进入"}}
        if self.mark_s >= session["due_s"] - 15 and session["popup"] is None:
            name = f"popup-{session['session_id']}-{len(self.answered)}"
            session["popup"] = {"challenge_id": name, "nonce": f"nonce-of-{name}"}
        if session["popup"] is None:
            return {}
        due_in_s = max(0.0, session["due_s"] - self.mark_s)
        return {"popup": {**session["popup"], "due_in_s": due_in_s, "answer_window_s": 60}}
