"""`zhenxue demo`: the service with a made-up county, ready to click through.

Everything in the county comes in through the public interface: the import endpoint and the
validation endpoint, called by a thread of this command while the service runs. Logins are made up
once and kept beside the demo's database, so that the next start prints the same ones.
"""

from __future__ import annotations

import io
import json
import threading
import time
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from sqlalchemy import Connection

from app.cli.answer import Json, Port, say_json
from app.clock import Clock, day, system_clock
from app.domain.wire import typed_day
from app.services import Services, open_services
from app.settings import Settings

if TYPE_CHECKING:
    from app.sdk.demo import DemoPlatform
    from app.simulation.county import County

COUNTY = "示例县"
ACTOR = "system:demo"
KEY = "示例县"  # label of the keys that the demo makes for itself
VIEWED = "yuanwang"  # the platform that the viewer looks after
COUNTY_PEOPLE = ("auditor", "reviewer", "chief")
LOGINS = (
    ("zhao", "赵审核（人社，初审人）", "auditor", "labour"),
    ("sun", "孙复核（人社，复核人）", "reviewer", "labour"),
    ("wei", "魏审核（主管部门，初审人）", "auditor", "industry"),
    ("hu", "胡复核（主管部门，复核人）", "reviewer", "industry"),
    ("jin", "金审核（财政，初审人）", "auditor", "finance"),
    ("cai", "蔡复核（财政，复核人）", "reviewer", "finance"),
    ("luo", "罗分管（县人社局）", "chief", None),
    ("feng", "冯平台（远望平台）", "platform_viewer", None),
    ("han", "韩经办（示例职业培训学校）", "school", None),
    ("admin", "管理员", "admin", None),
)
SCHOOL = ("SL0001", "示例职业培训学校")  # code and name; its classes come with the county

app = typer.Typer(help="The service with a made-up county.")


@app.command()
def demo(
    port: Port = None,
    today: Annotated[str, typer.Option(help="The county's today, YYYY-MM-DD.")] = "",
    as_json: Json = False,
) -> None:
    """Start the service; the first time, fill it with a county of invented people."""
    from app.main import run_service

    settings = Settings()
    if settings.production:
        raise typer.BadParameter("the demo county is for development only")
    try:
        named_day = typed_day(today) if today else None
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--today") from error
    port = settings.port if port is None else port
    url = f"http://{settings.host}:{port}"
    with open_services(settings) as services:
        logins = logins_of(services, settings.data_dir / "demo-logins.json")
    school = DemoFilling(settings, url).school()
    _greet(url, logins, as_json)
    marker = settings.data_dir / "demo-county-loaded"
    county_day = named_day or day(services.clock())
    arguments = (settings, url, county_day, marker)
    threading.Thread(target=_fill, args=arguments, name="demo-county", daemon=True).start()
    threading.Thread(target=school.film, name="demo-film", daemon=True).start()
    run_service(settings, settings.host, port, more=school.router())


def _greet(url: str, logins: list[dict[str, str]], as_json: bool) -> None:
    if as_json:
        lesson = f"{url}/demo/lesson"
        pages = {"console": f"{url}/console", "lesson": lesson, "enrolment": f"{lesson}/enrolment"}
        say_json({**pages, "logins": logins})
        return
    typer.echo(f"\n真学 Zhenxue   {url}/console\n")
    for login in logins:
        password = login["password"] or "(changed)"
        typer.echo(f"  {login['username']:<8}{password:<28}{login['name']}")
    typer.echo(
        "\n试试看 Try next:\n"
        "  以 zhao 登录，从待办中打开第一条，看图，作出决定  "
        "Sign in as zhao, open the first finding, decide\n"
        "  以 sun 登录，复核需要两人确认的线索  "
        "Sign in as sun for what needs a second person\n"
        "  以 feng 登录，看平台自己的人看到什么  "
        "Sign in as feng to see what a platform's own people see\n"
        "  以 han 登录，给学校开办一个班  "
        "Sign in as han to set up a class of a school\n"
        f"  接入演示课 A lesson page with the SDK   {url}/demo/lesson\n"
        f"  登记人脸照片 Enrolment of a face         {url}/demo/lesson/enrolment\n"
        f"  接口文档 The interface   {url}/docs\n"
        "  zhenxue simulate --list   77 个诚实与舞弊场景 honest and fraudulent scenarios\n"
    )


def logins_of(services: Services, path: Path) -> list[dict[str, str]]:
    """The demo's users, made at the first start; their passwords stand in `path`."""
    from app.domain.accounts import users
    from app.simulation.county import PLANS

    if path.exists():
        return _known(services, path)
    logins = []
    with services.database.write() as connection:
        _platform(connection, VIEWED, dict(PLANS.keys())[VIEWED], services.clock())
        school = school_of(connection, services.clock())
        for username, name, role, office in LOGINS:
            password = users.new_password()
            users.add_user(
                connection,
                username=username,
                display_name=name,
                password=password,
                role=role,
                counties=[COUNTY] if role in COUNTY_PEOPLE else [],
                platform=VIEWED if role == users.Role.PLATFORM_VIEWER else None,
                institution=school if role == users.Role.SCHOOL else None,
                office=office,
                actor=ACTOR,
                now_ms=services.clock(),
            )
            logins.append({"username": username, "name": name, "role": role, "password": password})
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(json.dumps(logins, ensure_ascii=False, indent=1), encoding="utf-8")
    return logins


def _known(services: Services, path: Path) -> list[dict[str, str]]:
    """The logins as they were made; a password that was changed since is left empty."""
    from app.domain.accounts import users

    logins: list[dict[str, str]] = json.loads(path.read_text(encoding="utf-8"))
    with services.database.read() as connection:
        return [
            it
            if users.check_password(connection, it["username"], it["password"])
            else it | {"password": ""}
            for it in logins
        ]


def _platform(connection: Connection, slug: str, name: str, now_ms: int) -> int:
    """The id of that platform, added when it is not there."""
    from app.domain.accounts import platforms

    known = {it.slug: it.id for it in platforms.platforms(connection)}
    if slug in known:
        return known[slug]
    return platforms.add_platform(
        connection, slug=slug, name=name, county=COUNTY, actor=ACTOR, now_ms=now_ms
    ).id


def school_of(connection: Connection, now_ms: int) -> int:
    """The id of the county's school, put on its list."""
    from app.domain.catalogue import institutions
    from app.domain.catalogue.institutions import InstitutionTerms

    code, name = SCHOOL
    terms = InstitutionTerms(code=code, name=name)
    return institutions.list_institution(connection, COUNTY, terms, actor=ACTOR, now_ms=now_ms)


def _fill(settings: Settings, url: str, today: date, marker: Path) -> None:
    """The county, the first time, and a class that studies now."""
    from app.simulation import county

    filling = DemoFilling(settings, url)
    try:
        filling.wait()
        if not marker.exists():
            with filling.screen.status("生成演示县 making the county …"):
                made = county.county(today)
            filling.fill(made)
            filling.accept("qihang", "dianshang-01")
            marker.touch()
            filling.screen.print("演示县已就绪 the demo county is ready")
        filling.study_today()
    except Exception as error:  # noqa: BLE001 - the service itself is up: say so and leave it running
        filling.screen.print(f"演示数据未能载入 the demo county was not loaded: {error}")


class DemoFilling:
    """Sends a county to the running service and has its classes validated."""

    def __init__(self, settings: Settings, url: str, clock: Clock = system_clock) -> None:
        from app.simulation.transport import UrllibClient

        self._settings, self._clock = settings, clock
        self._client = UrllibClient(url, timeout_s=600)
        self.screen = Console(stderr=True)

    def school(self) -> DemoPlatform:
        """The platform whose lesson page shows the SDK."""
        from app.sdk.demo import DemoPlatform
        from app.vision.film import draw_film

        film = self._settings.data_dir / "demo-lesson.webm"
        return DemoPlatform(self._client, self.school_key(), film, draw_film)

    def school_key(self) -> str:
        """A key for that platform alone; the one of an earlier start is revoked."""
        return self._only_key("sdk-demo", "接入演示平台")

    def _only_key(self, slug: str, name: str) -> str:
        from app.domain.accounts import platforms

        secret = self._key(slug, name)
        there = open_services(self._settings, self._clock)
        with there as services, services.database.write() as connection:
            now_ms = services.clock()
            platform = platforms.platform_of(connection, slug)
            mine = [it for it in platforms.keys(connection, platform.id) if it.label == KEY]
            *earlier, _ = mine
            for key in earlier:
                platforms.revoke_key(connection, platform.id, key.id, actor=ACTOR, now_ms=now_ms)
        return secret

    def fill(self, made: County) -> None:
        for platform in made.platforms:
            key = self._key(platform.slug, platform.name)
            self._load(platform, key)
            for klass in [it for it in platform.catalogue if it["kind"] == "class"]:
                self._validate(klass["class_id"], key)

    def accept(self, platform: str, class_id: str) -> None:
        """All of the county came by import, which counts once the authority says so: here Zhao
        does, of one class. The others show what waits."""
        from app.domain.accounts import platforms, users
        from app.domain.catalogue.classes import class_of
        from app.domain.review import acts

        there = open_services(self._settings, self._clock)
        with there as services, services.database.write() as connection:
            zhao = users.named(connection, LOGINS[0][0])
            acts.record(
                connection,
                class_of(connection, platforms.platform_of(connection, platform).id, class_id),
                kind="attested_accepted",
                learner=None,
                body={"examined": "与平台日志、抓拍影像抽样核对（示例）"},
                reason="示例：平台历史学习记录，经核对予以认可",
                document="示例核查记录",
                actor=zhao.actor,
                user=zhao,
                now_ms=services.clock(),
            )

    def study_today(self) -> None:
        """A class of the first platform begins to study, and goes on while the demo runs."""
        from app.simulation import county, today
        from app.simulation.transport import Api

        slug, name = next(iter(county.PLANS.keys()))
        api = Api(self._client, self._only_key(slug, name))
        today.study(api, self._clock(), threading.Event())
        self.screen.print("今天有一个班正在学习 a class studies now: 更多 → 实时巡查 Live board")

    def wait(self) -> None:
        """Until the service answers. Raises TimeoutError."""
        for _ in range(300):
            try:
                self._client.request("GET", "/healthz", content=None, headers={})
                return
            except OSError:
                time.sleep(0.1)
        raise TimeoutError("the service did not start")

    def _key(self, slug: str, name: str) -> str:
        """A platform and a key for it, as `zhenxue platform add` and `zhenxue key create` do."""
        from app.domain.accounts import platforms

        there = open_services(self._settings, self._clock)
        with there as services, services.database.write() as connection:
            now_ms = services.clock()
            made = platforms.create_key(
                connection,
                _platform(connection, slug, name, now_ms),
                label=KEY,
                scopes=["ingest", "read", "import", "admin"],
                expires_ms=None,
                actor=ACTOR,
                now_ms=now_ms,
            )
            return made.secret

    def _load(self, platform: Any, key: str) -> None:
        from app.simulation import bundle

        file = io.BytesIO()
        with self.screen.status(f"{platform.name}：拍照 drawing {len(platform.photos)} photos …"):
            bundle.write(file, platform.records, platform.photos)
        with self.screen.status(f"{platform.name}：导入 importing …"):
            report = self._call("POST", "/v1/imports", key, file.getvalue(), "application/zip")
        stored = sum(report["stored"].values())
        self.screen.print(
            f"{platform.name}：{stored} 条记录 records, 拒绝 rejected {report['rejected_total']}"
        )

    def _validate(self, class_id: str, key: str) -> None:
        run = self._call("POST", f"/v1/classes/{class_id}/validate", key, b"", "application/json")
        with self.screen.status(f"{class_id}：核验 validating …") as status:
            while True:
                progress = self._call("GET", f"/v1/runs/{run['run_id']}", key, None, "")
                if progress["state"] in ("done", "failed"):
                    break
                status.update(f"{class_id}：核验 validating {progress['done']}/{progress['total']}")
                time.sleep(0.5)
        self.screen.print(f"{class_id}：核验 validated, {progress['state']}")

    def _call(
        self, method: str, path: str, key: str, content: bytes | None, media_type: str
    ) -> dict[str, Any]:
        headers = {"authorization": f"Bearer {key}"}
        if media_type:
            headers["content-type"] = media_type
        reply = self._client.request(method, path, content=content, headers=headers)
        answer: dict[str, Any] = json.loads(reply.content)
        if reply.status_code >= 400:
            raise RuntimeError(f"{method} {path}: {reply.status_code} {answer.get('detail')}")
        return answer
