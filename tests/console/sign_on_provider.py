"""A bureau's sign-on service as OpenID Connect describes it, over real HTTP on loopback.

It holds its clients to the protocol: a code is good once, for the client and address that it was
given for, and for whoever shows the verifier (PKCE). Tests may have it lie.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

CLIENT, SECRET = "zhenxue", "a secret of the bureau's sign-on service"


@cache
def _own_key() -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": "one"})


@dataclass
class Provider:
    """`who` signs in without being asked; `lie` changes a token's header, claims or key before it
    is signed; by HS256 with the public key as the secret, as a confused client would verify it."""

    now: Callable[[], int]  # seconds
    who: dict[str, Any] = field(default_factory=lambda: {"sub": "zhao-01", "name": "赵敏"})
    lie: Callable[[dict[str, Any], dict[str, Any]], Any] | None = None
    answers: bool = True
    key: RSAKey = field(default_factory=_own_key)
    issuer: str = ""
    codes: dict[str, dict[str, str]] = field(default_factory=dict)

    @contextmanager
    def serving(self) -> Iterator[Provider]:
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                provider.get(self)

            def do_POST(self) -> None:
                provider.post(self)

            def log_message(self, *_: Any) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.issuer = f"http://127.0.0.1:{server.server_address[1]}/realm"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()
            thread.join()

    def get(self, at: BaseHTTPRequestHandler) -> None:
        parts = urlsplit(at.path)
        if not self.answers:
            say(at, 500, {})
        elif parts.path == "/realm/.well-known/openid-configuration":
            ends = {"authorization_endpoint": "auth", "token_endpoint": "token", "jwks_uri": "keys"}
            urls = {name: f"{self.issuer}/{end}" for name, end in ends.items()}
            say(at, 200, {"issuer": self.issuer, **urls})
        elif parts.path == "/realm/keys":
            say(at, 200, KeySet([self.key]).as_dict(private=False))
        elif parts.path == "/realm/auth":
            asked = {name: it[0] for name, it in parse_qs(parts.query).items()}
            assert asked["response_type"] == "code" and asked["code_challenge_method"] == "S256"
            assert "openid" in asked["scope"].split() and asked["client_id"] == CLIENT
            code = secrets.token_urlsafe(16)
            self.codes[code] = asked
            told = urlencode({"code": code, "state": asked["state"], "iss": self.issuer})
            at.send_response(302)
            at.send_header("Location", f"{asked['redirect_uri']}?{told}")
            at.end_headers()
        else:
            say(at, 404, {})

    def post(self, at: BaseHTTPRequestHandler) -> None:
        body = at.rfile.read(int(at.headers["content-length"])).decode()
        form = {name: it[0] for name, it in parse_qs(body).items()}
        basic = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        asked = self.codes.pop(form.get("code", ""), None)
        verifier = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(verifier).decode().rstrip("=")
        if at.headers.get("authorization") != f"Basic {basic}":
            say(at, 401, {"error": "invalid_client"})
        elif (
            asked is None
            or asked["redirect_uri"] != form.get("redirect_uri")
            or asked["code_challenge"] != challenge
        ):
            say(at, 400, {"error": "invalid_grant"})
        else:
            token = self.token(asked["nonce"])
            say(at, 200, {"access_token": "a", "token_type": "Bearer", "id_token": token})

    def token(self, nonce: str) -> str:
        head: dict[str, Any] = {"alg": "RS256", "kid": "one"}
        claims = {
            "iss": self.issuer,
            "aud": CLIENT,
            "nonce": nonce,
            "iat": self.now(),
            "exp": self.now() + 300,
            **self.who,
        }
        key: Any = self.key
        if self.lie is not None:
            key = self.lie(head, claims) or key
        if head["alg"] in ("none", "HS256"):
            told = b".".join(_plain(json.dumps(it).encode()) for it in (head, claims))
            public = self.key.as_pem(private=False)
            sign = hmac.digest(public, told, "sha256") if head["alg"] == "HS256" else b""
            return b".".join((told, _plain(sign))).decode()
        return jwt.encode(head, claims, key, algorithms=[head["alg"]])


def _plain(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def say(at: BaseHTTPRequestHandler, status: int, told: Any) -> None:
    body = json.dumps(told).encode()
    at.send_response(status)
    at.send_header("Content-Type", "application/json")
    at.send_header("Content-Length", str(len(body)))
    at.end_headers()
    at.wfile.write(body)
