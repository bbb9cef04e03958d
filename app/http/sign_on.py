"""Single sign-on: a bureau's own service says who somebody is (OpenID Connect, code and PKCE).

The code is exchanged, and the keys that the answer is signed with are fetched, from the issuer that
the operator named; nothing that comes by way of the browser is believed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx2
import structlog
from authlib.common.errors import AuthlibBaseError
from authlib.common.security import generate_token
from authlib.integrations.httpx_client import OAuth2Client
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

from app.domain.wire import shown_only
from app.errors import NotAllowed, NotReady
from app.settings import Settings

# Asymmetric ones only: what is signed with a secret that both sides have, either could have made.
ALGORITHMS = ("RS256", "PS256", "ES256", "RS384", "PS384", "ES384", "RS512", "PS512", "ES512")
_WAIT_S = 5.0
_CLOCKS_S = 60  # how far apart the two machines' clocks may be
_MOST_BYTES = 256 * 1024

log = structlog.get_logger("zhenxue.sign_on")


class SignOnRefused(NotAllowed):
    """The sign-on service did not say who it is, or what it said cannot be believed."""


class SignOnAway(NotReady):
    """The sign-on service does not answer as one."""


@dataclass(frozen=True, slots=True)
class Begun:
    """What this service has to know again when the browser comes back."""

    url: str
    state: str
    nonce: str
    verifier: str


@dataclass(frozen=True, slots=True)
class ToldIdentity:
    """Who somebody is by the sign-on service. `strong`: more than a password was shown there."""

    issuer: str
    subject: str
    name: str
    strong: bool


@dataclass(frozen=True, slots=True)
class SignOn:
    settings: Settings

    @property
    def offered(self) -> bool:
        return bool(self.settings.oidc_issuer)

    @property
    def name(self) -> str:
        return self.settings.oidc_name

    def begin(self, redirect_uri: str) -> Begun:
        """Where the browser is sent to. Raises SignOnAway."""
        nonce, verifier = generate_token(32), generate_token(64)
        with self._client(redirect_uri) as client:
            metadata = self._metadata(client)
            url, state = client.create_authorization_url(
                metadata["authorization_endpoint"], nonce=nonce, code_verifier=verifier
            )
        return Begun(url, state, nonce, verifier)

    def finish(
        self, redirect_uri: str, answer: Mapping[str, str], begun: Begun, now_ms: int
    ) -> ToldIdentity:
        """Who came back. `answer` is the query that the browser brought. Raises SignOnRefused,
        SignOnAway."""
        issuer = self.settings.oidc_issuer
        if answer.get("state") != begun.state or answer.get("iss", issuer) != issuer:
            raise SignOnRefused("sign_on_stale", "the answer belongs to another attempt")
        if "error" in answer or not answer.get("code"):
            raise SignOnRefused("sign_on_declined", "the sign-on service let nobody in")
        try:
            with self._client(redirect_uri) as client:
                metadata = self._metadata(client)
                token = client.fetch_token(
                    metadata["token_endpoint"],
                    code=answer["code"],
                    code_verifier=begun.verifier,
                    grant_type="authorization_code",
                )
                keys = KeySet.import_key_set(self._fetch(client, metadata["jwks_uri"]))
            claims = self._claims(token, keys, begun.nonce, now_ms)
        except (AuthlibBaseError, JoseError, ValueError, KeyError, TypeError) as error:
            log.warning("a sign-on was refused", reason=repr(error)[:300])
            raise SignOnRefused("sign_on_refused", "the sign-on cannot be believed") from error
        except httpx2.HTTPError as error:
            raise _away() from error
        name = claims.get("name") or claims.get("preferred_username") or claims["sub"]
        return ToldIdentity(
            issuer, claims["sub"], shown_only(str(name))[:128], self._strong(claims)
        )

    def _claims(self, token: Any, keys: KeySet, nonce: str, now_ms: int) -> Any:
        registry = JWSRegistry(algorithms=list(ALGORITHMS), strict_check_header=False)
        told = jwt.decode(token["id_token"], key=keys, registry=registry)
        client_id = self.settings.oidc_client_id
        claims = CodeIDToken(
            told.claims,
            told.header,
            {
                "iss": {"essential": True, "values": [self.settings.oidc_issuer]},
                "aud": {"essential": True, "values": [client_id]},
            },
            {"nonce": nonce, "client_id": client_id, "access_token": token.get("access_token")},
        )
        claims.validate(now=now_ms // 1000, leeway=_CLOCKS_S)
        if not isinstance(claims["sub"], str) or not 0 < len(claims["sub"]) <= 255:
            raise ValueError("sub is no name of somebody")
        return claims

    def _strong(self, claims: Any) -> bool:
        wanted = self.settings.oidc_strong_methods
        shown = {*(claims.get("amr") or ()), claims.get("acr")}
        return not wanted.isdisjoint(it for it in shown if isinstance(it, str))

    def _client(self, redirect_uri: str) -> OAuth2Client:
        return OAuth2Client(
            client_id=self.settings.oidc_client_id,
            client_secret=self.settings.oidc_client_secret.get_secret_value(),
            scope="openid profile",
            redirect_uri=redirect_uri,
            code_challenge_method="S256",
            timeout=_WAIT_S,
            follow_redirects=False,
            trust_env=False,
        )

    def _metadata(self, client: OAuth2Client) -> dict[str, Any]:
        """What the issuer publishes of itself. Raises SignOnAway."""
        issuer = self.settings.oidc_issuer
        url = f"{issuer.rstrip('/')}/.well-known/openid-configuration"
        try:
            found: dict[str, Any] = self._fetch(client, url)
        except (httpx2.HTTPError, ValueError) as error:
            raise _away() from error
        needed = ("authorization_endpoint", "token_endpoint", "jwks_uri")
        urls = [found.get(it) for it in needed]
        safe = all(isinstance(it, str) and self._safe(it) for it in urls)
        if found.get("issuer") != issuer or not safe:
            log.error("the sign-on service is not the issuer that it is said to be", url=url)
            raise _away()
        return found

    def _safe(self, url: str) -> bool:
        return url.startswith("https://") or not self.settings.production

    @staticmethod
    def _fetch(client: OAuth2Client, url: str) -> Any:
        answer = client.request("GET", url, withhold_token=True)
        answer.raise_for_status()
        if len(answer.content) > _MOST_BYTES:
            raise ValueError("too long an answer")
        return answer.json()


def _away() -> SignOnAway:
    return SignOnAway("sign_on_away", "the sign-on service does not answer", retry_after_s=10)
