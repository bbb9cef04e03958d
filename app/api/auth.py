"""Who calls: a platform by its API key, a learner's browser by the token of its one sitting or
its enrolment, or, for reading, a person signed in to the console."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Request, Security
from fastapi.security import HTTPBearer

from app.console.login import checked_header, login_of, signed_in, user_of
from app.domain.accounts.platforms import KeyScope
from app.domain.accounts.users import DECIDES, Role, User
from app.errors import NotAllowed
from app.http.callers import callers_of
from app.http.enrolment_ring import Enroller
from app.http.keyring import Caller
from app.services import Services

_BEARER = HTTPBearer(
    auto_error=False,
    description="API key of a platform, lease token of a sitting, or token of an enrolment",
)

# Who writes what a platform's key may write as well; all others read.
WRITES = DECIDES | {Role.PLATFORM_VIEWER, Role.SCHOOL}


def demand(caller: Caller, scope: KeyScope) -> Caller:
    """The caller again, if the key has that scope. Raises NotAllowed."""
    if scope not in caller.scopes:
        raise NotAllowed("scope_missing", f"this needs a key with the scope {scope.value!r}")
    return caller


def require(scope: KeyScope) -> Any:
    """A dependency that yields the Caller. Signed-in people pass where `read` is enough."""

    def caller_of(request: Request, _documented: Annotated[Any, Security(_BEARER)]) -> Caller:
        authorization = request.headers.get("authorization")
        if authorization is None and scope is KeyScope.READ and request.method == "GET":
            person = _signed_in(request)
            if person is not None:
                return person
        return _admitted(request, demand(callers_of(request).keys.caller(authorization), scope))

    return Security(caller_of)


def sitting() -> Any:
    """A dependency that yields the Caller of a write to one sitting: a platform by a key that may
    ingest, or the learner's browser by that sitting's lease token."""

    def caller_of(request: Request, _documented: Annotated[Any, Security(_BEARER)]) -> Caller:
        authorization = request.headers.get("authorization")
        callers = callers_of(request)
        browser = callers.leases.caller(authorization, request.path_params["session_id"])
        sender = browser or demand(callers.keys.caller(authorization), KeyScope.INGEST)
        return _admitted(request, sender)

    return Security(caller_of)


def enrolling(scope: KeyScope) -> Any:
    """A dependency that yields the Enroller of one learner: a platform by a key with that scope, or
    the learner's browser by the token of an enrolment link."""

    def enroller_of(request: Request, _documented: Annotated[Any, Security(_BEARER)]) -> Enroller:
        authorization = request.headers.get("authorization")
        callers = callers_of(request)
        browser = callers.enrolments.enroller(authorization, request.path_params["learner_id"])
        sender = browser or Enroller(demand(callers.keys.caller(authorization), scope))
        _admitted(request, sender.caller)
        return sender

    return Security(enroller_of)


def people_too(scope: KeyScope) -> Any:
    """A dependency that yields the Caller of a write: a platform by a key with that scope, or a
    signed-in person of a role in WRITES whose request carries their login's token."""

    def caller_of(request: Request, _documented: Annotated[Any, Security(_BEARER)]) -> Caller:
        authorization = request.headers.get("authorization")
        login = None if authorization is not None else login_of(request)
        if login is None:
            caller = demand(callers_of(request).keys.caller(authorization), scope)
            return _admitted(request, caller)
        checked_header(request, login)
        if login.user.role not in WRITES:
            raise NotAllowed("role", "your role reads, and writes nothing here")
        return _person(login.user)

    return Security(caller_of)


def person() -> Any:
    """A dependency that yields the User of a write that only people make. Raises NotAllowed for a
    platform's key, NotSignedIn for nobody."""

    def user_of_write(request: Request) -> User:
        if request.headers.get("authorization") is not None:
            raise NotAllowed("people_only", "a person does this, signed in to the console")
        login = signed_in(request)
        checked_header(request, login)
        return login.user

    return Security(user_of_write)


def services_of(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


def _admitted(request: Request, caller: Caller) -> Caller:
    callers_of(request).shares.admit(request.scope, caller)
    return caller


def _signed_in(request: Request) -> Caller | None:
    """The seam to the console: a person with a login there reads what they may see."""
    user = user_of(request)
    return None if user is None else _person(user)


def _person(user: User) -> Caller:
    return Caller(
        platform_id=None,
        label=user.username,
        scopes=frozenset({KeyScope.READ.value}),
        scope=user.scope,
        actor=user.actor,
    )
