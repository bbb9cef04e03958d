"""How every page is answered: templates, security headers, and errors as pages."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from functools import cache
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote, urlsplit

from fastapi import Path as PathParameter
from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.routing import APIRoute
from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from app.console import health, help_topics, labels, mending, once, readable
from app.console.assets import asset
from app.console.health import HealthLine, ServiceHealth
from app.console.language import Language, language, position
from app.console.login import login_of
from app.domain.accounts import users
from app.domain.accounts.users import Login, Role
from app.errors import BadInput, NotFound, NotReady, NotSignedIn, ZhenxueError
from app.http.middleware import is_form_with_files
from app.http.patience import drain
from app.languages import LOCALES, told_in_both
from app.outages import outage_of
from app.store.review import notices

TEMPLATES = Path(__file__).parent / "templates"
LANGUAGE_COOKIE = "zhenxue_lang"

RowId = Annotated[int, PathParameter(ge=1, le=2**62)]

_MOST_FIELDS = 5000  # of a form: a course of a thousand lessons; the framework's own limit is 1000

_HEADERS = {
    "Content-Security-Policy": "; ".join(
        (
            "default-src 'none'",
            "style-src 'self'",
            "script-src 'self'",
            "img-src 'self'",
            "connect-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def language_of(request: Request) -> Language:
    """As asked for in the address, else as chosen before; else the first."""
    asked = request.query_params.get("lang", "")
    return language(asked or request.cookies.get(LANGUAGE_COOKIE, ""))


@cache
def _templates(code: str) -> Environment:
    lang = language(code)
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
    )
    environment.install_gettext_callables(  # type: ignore[attr-defined]
        lang.catalogue.gettext,
        lang.catalogue.ngettext,
        newstyle=True,
        pgettext=lang.catalogue.pgettext,
    )
    environment.globals["_"] = environment.globals["gettext"] = _counted(environment, lang)
    environment.globals.update(
        mending=mending,
        lang=lang,
        locales=LOCALES,
        asset=asset,
        labels=labels,
        readable=readable,
        position=position,
        help_topic=help_topics.topic_of,
    )
    return environment


def _counted(environment: Environment, lang: Language) -> Callable[..., str]:
    """The templates' `_`, which says one of a kind as the language does."""
    translated: Any = environment.globals["gettext"]

    @pass_context
    def gettext(context: Context, source: str, /, **values: object) -> str:
        told = translated(context, source, **values)
        counted: str = type(told)(lang.counted(told)) if values else told  # which may be Markup
        return counted

    return gettext


def render(
    request: Request, template: str, *, login: Login | None, status: int = 200, **model: Any
) -> HTMLResponse:
    """A page from its template; `model` is what the page is about, `once` what it tells once."""
    told = once.messages(request, login)
    here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    html = (
        _templates(language_of(request).code)
        .get_template(template)
        .render(
            login=login,
            here=here,
            path=request.url.path,
            once=told,
            unread=_unread(request, login),
            reads_log=_reads_log(request, login),
            **model,
        )
    )
    page = HTMLResponse(html, status_code=status)
    if told:
        once.forget(request, page)
    return page


def _unread(request: Request, login: Login | None) -> int:
    if login is None:
        return 0
    with request.app.state.services.database.read() as connection:
        return notices.unread(connection, login.user.id)


def _reads_log(request: Request, login: Login | None) -> bool:
    if login is None or login.user.role not in (Role.ADMIN, Role.LOG_READER):
        return False
    with request.app.state.services.database.read() as connection:
        return users.reads_log(connection, login.user)


def status_page(
    request: Request,
    seen: ServiceHealth,
    *,
    login: Login | None = None,
    inside: Sequence[HealthLine] = (),
    unsaved: bool = False,
) -> HTMLResponse:
    """How the service is: 503 where a part is away. Without a login it asks no database."""
    return render(
        request,
        "status.html",
        login=login,
        status=200 if seen.well else 503,
        seen=seen,
        inside=inside,
        unsaved=unsaved,
        now_ms=request.app.state.services.clock(),
    )


def _interrupted(request: Request, outage: NotReady) -> HTMLResponse:
    """In the place of a page that could not be made since a part is away."""
    seen = health.look(request.app.state.services)
    page = status_page(request, seen, unsaved=request.method == "POST")
    page.status_code = 503
    if outage.retry_after_s is not None:
        page.headers["Retry-After"] = str(outage.retry_after_s)
    return page


def see_other(path: str) -> RedirectResponse:
    """To another page after a form was handled."""
    return RedirectResponse(path, status_code=303)


def local_path(path: str, fallback: str = "/console") -> str:
    """`path` if it leads into the console, else the fallback: no open redirects."""
    inside = path == "/console" or path.startswith(("/console/", "/console?"))
    return path if inside and "\\" not in path and "//" not in path else fallback


class ConsoleRoute(APIRoute):
    """Refusals become pages, a missing login leads to the login page, all carry the headers."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            try:
                response = await answered(request)
            except Exception as error:
                outage = outage_of(error)
                if outage is None:
                    raise
                response = await run_in_threadpool(_interrupted, request, outage)
            for name, value in _HEADERS.items():
                response.headers.setdefault(name, value)
            return response

        async def answered(request: Request) -> Response:
            try:
                await _require_somebody(request)
                await _check_characters(request)
                response = await handler(request)
            except NotSignedIn:
                response = see_other("/console/login?next=" + quote(_wanted(request), safe="/"))
            except ZhenxueError as error:
                if isinstance(error, NotReady) and error.code not in labels.PROBLEMS:
                    raise
                response = _refusal(request, error.status, error)
            except HTTPException as error:  # a form of too many fields, or cut off
                response = _refusal(request, error.status_code)
            except RequestValidationError as error:
                in_path = any(item["loc"][0] == "path" for item in error.errors())
                response = _refusal(request, 404 if in_path else 422)
            return response

        return guarded


async def _require_somebody(request: Request) -> None:
    """Raises NotSignedIn for nobody's form with files, before any of it is laid on the disk. On a
    learner's own page the link says who it is, and less is taken."""
    if not request.url.path.startswith("/console") or not is_form_with_files(request.scope):
        return
    if await run_in_threadpool(login_of, request) is None:
        await drain(request.scope, request.receive)
        raise NotSignedIn("not_signed_in", "sign in first")


async def _check_characters(request: Request) -> None:
    """Raises for a NUL, which nobody types and PostgreSQL holds in no text: NotFound in the path,
    BadInput elsewhere."""
    if "\0" in request.scope["path"]:
        raise NotFound("no_such_page", "there is no such page")
    sent, typed = request.scope["query_string"], ""
    # A field may be as large as the body: pages hand back a file that was looked at in one.
    most = request.app.state.services.settings.max_body_bytes
    if is_form_with_files(request.scope):  # its files are no text
        form = await request.form(max_fields=_MOST_FIELDS, max_part_size=most)
        typed = "".join(it for pair in form.multi_items() for it in pair if isinstance(it, str))
    elif request.method == "POST":
        sent += await request.body()
        await request.form(max_fields=_MOST_FIELDS, max_part_size=most)  # kept for who asks for it
    if b"%00" in sent or b"\0" in sent or "\0" in typed:
        raise BadInput("bad_characters", "a NUL is no text")


def _wanted(request: Request) -> str:
    """Where to go on after signing in: what was asked for, or the page whose form was sent."""
    if request.method != "GET":
        return _page_of_form(request) or "/console"
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")


def _page_of_form(request: Request) -> str:
    """The page of the console whose form was sent; empty where none is known."""
    page = urlsplit(request.headers.get("referer", ""))
    return local_path(page.path + (f"?{page.query}" if page.query else ""), fallback="")


def _own_page(path: str) -> str:
    """The learner's own page that a path belongs to; empty for the console's."""
    parts = path.split("/")
    return "/".join(parts[:3]) if parts[1] == "my" and len(parts) > 2 else ""


def _refusal(request: Request, status: int, error: ZhenxueError | None = None) -> HTMLResponse:
    code, detail = (error.code, error.detail) if error else ("", "")
    gone = status == 422 and code == "unknown_pack"
    why = labels.PROBLEMS.get(code) or told_in_both(detail) or ""
    page = render(
        request,
        "refusal.html",
        login=login_of(request),
        status=status,
        number=status,
        code=code,
        back=_own_page(request.url.path),
        form_page=_page_of_form(request) if request.method == "POST" else "",
        title=labels.NO_PACK if gone else labels.REFUSALS.get(status, labels.REFUSALS[422]),
        detail=labels.NO_PACK_REMEDY if gone else why,
    )
    if error and error.retry_after_s is not None:
        page.headers["Retry-After"] = str(error.retry_after_s)
    return page
