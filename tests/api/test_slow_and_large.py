"""Clients that send too much or too slowly, over real sockets."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from fastapi import FastAPI

from app.db import Database
from app.http import patience
from app.http.patience import ImpatientProtocol
from tests.people import County
from tests.served import served
from tests.waiting import eventually

LIMIT = 8 * 1024 * 1024


@pytest.fixture
def address(app: FastAPI, database: Database, county: County) -> Iterator[tuple[str, int]]:
    with served(app, http=ImpatientProtocol) as url:
        parts = urlsplit(url)
        yield str(parts.hostname), int(parts.port or 0)


def answered(sock: socket.socket) -> bytes:
    """All that comes until the other side closes."""
    sock.settimeout(20)
    told = b""
    while piece := sock.recv(65536):
        told += piece
    return told


@pytest.mark.parametrize("path", ["/v1/sessions/s1/events", "/v1/events", "/v1/courses/c"])
@pytest.mark.parametrize("declared", [True, False])
def test_a_body_that_is_too_large_is_told_so_before_the_connection_ends(
    address: tuple[str, int], county: County, path: str, declared: bool
) -> None:
    method = "PUT" if "courses" in path else "POST"
    head = (
        f"{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n"
        f"content-type: application/json\r\nauthorization: Bearer {county.huang.secret}\r\n"
    )
    size = LIMIT + 4 * 1024 * 1024
    piece = b"x" * 65536
    with socket.create_connection(address) as sock:
        if declared:
            sock.sendall(f"{head}content-length: {size}\r\n\r\n".encode())
        else:
            sock.sendall(f"{head}transfer-encoding: chunked\r\n\r\n".encode())
        for _ in range(size // len(piece)):
            sock.sendall(piece if declared else b"10000\r\n" + piece + b"\r\n")
        if not declared:
            sock.sendall(b"0\r\n\r\n")
        told = answered(sock)
    assert told.startswith(b"HTTP/1.1 413") and b"body_too_large" in told


@pytest.mark.parametrize("sent", [b"", b"GET /healthz HTTP/1.1\r\nhost: x\r\nx-half: "])
def test_half_sent_headers_are_given_up(
    address: tuple[str, int], sent: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "HEADERS_S", 0.3)
    with socket.create_connection(address) as sock:
        sock.sendall(sent)
        began = time.monotonic()
        assert answered(sock) == b""
        assert time.monotonic() - began < 5


@pytest.mark.parametrize("line", [b"y" * 1000, b"y: z\r\n" * 100])
def test_headers_without_end_are_refused(address: tuple[str, int], line: bytes) -> None:
    """The parser takes ever longer for them, and the loop answers nobody else meanwhile."""
    with socket.create_connection(address) as sock:
        sock.sendall(b"GET /healthz HTTP/1.1\r\nhost: x\r\nx: ")
        told = b""
        try:
            for _ in range(5000):
                sock.sendall(line)
            told = answered(sock)
        except OSError:  # it was cut while we were sending
            told = b"cut"
    assert told == b"cut" or told.startswith(b"HTTP/1.1 431")
    with socket.create_connection(address) as sock:
        cookies = b"x" * 32_000  # as long as any browser sends
        sock.sendall(b"GET /healthz HTTP/1.1\r\nconnection: close\r\ncookie: " + cookies + b"\r\n")
        time.sleep(0.1)
        sock.sendall(b"host: x\r\n\r\n")
        assert answered(sock).startswith(b"HTTP/1.1 200")


def test_a_client_that_leaves_in_the_midst_of_a_body_is_no_bug(
    address: tuple[str, int], county: County, app: FastAPI
) -> None:
    head = (
        "POST /v1/imports HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-ndjson\r\n"
        f"content-length: 1000\r\nauthorization: Bearer {county.huang.secret}\r\n\r\n"
    )
    with socket.create_connection(address) as sock:
        sock.sendall(head.encode() + b"{")
        time.sleep(0.3)

    def counted(status: str) -> float:
        labels = {"method": "POST", "route": "/v1/imports", "status": status}
        registry = app.state.services.registry
        return float(registry.get_sample_value("zhenxue_http_requests_total", labels) or 0)

    assert eventually(lambda: counted("400"), 10)
    assert not counted("500")


def test_a_body_that_stalls_is_given_up(
    address: tuple[str, int], county: County, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "BODY_S", 0.3)
    head = (
        "POST /v1/sessions/s1/events HTTP/1.1\r\nhost: x\r\nconnection: close\r\n"
        f"content-length: 100\r\nauthorization: Bearer {county.huang.secret}\r\n\r\n"
    )
    with socket.create_connection(address) as sock:
        sock.sendall(head.encode() + b"{")
        told = answered(sock)
    assert told.startswith(b"HTTP/1.1 408") and b"body_stalled" in told


def test_a_client_that_offers_another_protocol_is_answered_in_this_one(
    address: tuple[str, int], county: County
) -> None:
    """Java's client offers HTTP/2 with its first request; its body comes in a piece of its own."""
    head = (
        f"PUT /v1/courses/c HTTP/1.1\r\nConnection: {{}}\r\nUpgrade: h2c\r\nhost: x\r\n"
        f"HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA\r\ncontent-length: 12\r\n"
        f"authorization: Bearer {county.huang.secret}\r\ncontent-type: application/json\r\n\r\n"
    )
    with socket.create_connection(address) as sock:
        sock.sendall(head.format("Upgrade, HTTP2-Settings").encode())
        time.sleep(0.05)
        sock.sendall(b'{"title":"c"')  # no JSON: refused by whoever has read all of it
        first = sock.recv(65536)
        sock.sendall(head.format("close").encode() + b'{"title":"c"')
        told = first + answered(sock)
    assert told.count(b'"malformed_json"') == 2 and told.count(b"HTTP/1.1 4") == 2


def test_an_answer_comes_in_one_piece(address: tuple[str, int]) -> None:
    """Two would be two calls of the system, and wake the client twice."""
    with socket.create_connection(address) as sock:
        for _ in range(50):
            sock.sendall(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n")
            head, _, body = sock.recv(65536).partition(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
            assert 0 < length == len(body)


def test_a_head_has_no_body_and_the_connection_goes_on(address: tuple[str, int]) -> None:
    with socket.create_connection(address) as sock:
        for _ in range(3):
            sock.sendall(b"HEAD /healthz HTTP/1.1\r\nhost: x\r\n\r\n")
            head, _, body = sock.recv(65536).partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200") and b"content-length: 15" in head
            assert body == b""


@pytest.mark.parametrize(
    ("asked", "status"),
    [("POST /v1/events", 401), ("DELETE /healthz", 405), ("HEAD /healthz", 200)],
)
def test_a_client_that_says_no_more_still_hears_its_answer(
    address: tuple[str, int], asked: str, status: int
) -> None:
    """As `nc -N` does: it ends its side as soon as the request is out."""
    for _ in range(20):
        with socket.create_connection(address) as sock:
            sock.sendall(f"{asked} HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n".encode())
            sock.shutdown(socket.SHUT_WR)
            assert answered(sock).startswith(f"HTTP/1.1 {status}".encode())
