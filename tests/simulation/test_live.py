"""Live play answers the controls that the service really issues."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from app.simulation.environment import Setting
from app.simulation.live import play_live
from app.simulation.transport import Api, Problem, UrllibClient
from tests.simulation.fake_service import FakeService

SHORT = Setting(media_s=600.0)


def play(scenario_id: str, service: FakeService, setting: Setting = SHORT):
    return play_live(
        scenario_id,
        Api(service, "key-1"),
        setting=setting,
        advance=service.advance,
        photograph=lambda photo: f"photo {photo}".encode(),
    )


def test_lin_studies_a_lesson_and_answers_the_services_popups():
    service = FakeService()
    report = play("H01", service)
    assert report.problems == [] and report.refused == []
    assert len(service.answered) == 3
    assert [state["state"] for state in report.states.values()] == ["closed"]
    assert service.mark_s == 600.0


def test_the_services_clock_is_moved_on_instead_of_waiting():
    service = FakeService()
    play("H01", service)
    assert 600 < service.now_s < 640


def test_the_catalogue_is_sent_before_anybody_studies():
    service = FakeService()
    play("H01", service)
    assert [call for call in service.calls if call[0] == "PUT"][:4] == [
        ("PUT", "/v1/courses/course-demo"),
        ("PUT", "/v1/classes/class-demo"),
        ("PUT", "/v1/classes/class-demo/roster"),
        ("PUT", "/v1/learners/lin-yi/reference-photo"),
    ]
    assert service.calls[4] == ("POST", "/v1/sessions")


def test_a_face_check_is_answered_with_a_burst_of_photos():
    service = FakeService()
    play("H01", service)
    assert [photo["frame"] for photo in service.photos] == ["0", "1", "2"]
    assert {photo["challenge_id"] for photo in service.photos} == {"face-1"}
    assert {photo["purpose"] for photo in service.photos} == {"start"}


def test_whoever_strips_popups_answers_none():
    service = FakeService()
    play("F16", service)
    assert service.answered == []
    assert len(service.sessions) == 1


def test_a_stopped_learner_opens_the_lesson_again_at_the_mark():
    service = FakeService(stops_after_s=120.0)
    report = play("H01", service)
    assert len(report.sessions) > 2
    assert service.mark_s == 600.0
    positions = [s["events"][0]["position"] for s in service.sessions.values()]
    assert positions == sorted(positions)


def test_a_second_window_is_refused_and_an_honest_hand_over_tries_again():
    parallel = play("F35", FakeService(one_at_a_time=True))
    assert parallel.refused == ["concurrent_session"]
    handed_over = play("H32", FakeService(one_at_a_time=True))
    assert handed_over.refused == [] and len(handed_over.sessions) == 2


def test_a_platform_that_runs_its_controls_reports_them():
    service = FakeService()
    play("H41", service)
    assert {control["control"] for control in service.reported} == {
        "popup", "snapshot", "face_check",
    }  # fmt: skip
    assert all(control["nonce"] for control in service.reported)


def test_sessions_at_the_same_time_are_interleaved():
    service = FakeService()
    play("F13", service)
    posted = [path.split("/")[3] for method, path in service.calls if path.endswith("/events")]
    changes = sum(a != b for a, b in itertools.pairwise(posted))
    assert changes > 100


@pytest.fixture
def echo() -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            refused = b"bad" in body
            self.send_response(422 if refused else 200)
            self.end_headers()
            self.wfile.write(b'{"code": "bad", "detail": "no"}' if refused else b'{"ok": true}')

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_plain_client_needs_no_library(echo):
    api = Api(UrllibClient(echo), "key-1")
    assert api.call("PUT", "/v1/courses/a", {"title": "好"}) == {"ok": True}
    with pytest.raises(Problem, match="422 bad no"):
        api.call("PUT", "/v1/courses/a", {"title": "bad"})
    assert api.requests == 2
