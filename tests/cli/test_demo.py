"""The demo county's logins: one of every role, told at each start as long as they are right."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from app.cli.demo import logins_of
from app.domain.accounts import users
from app.domain.accounts.users import Role
from app.domain.policy.procedure import Office
from app.services import Services


def test_every_role_has_a_login_that_is_told_again_at_the_next_start(
    services: Services, tmp_path: Path
) -> None:
    made = logins_of(services, tmp_path / "logins.json")
    # Where somebody reads the audit log alone, the administrator of the demo would not see it.
    assert {it["role"] for it in made} == set(Role) - {Role.LOG_READER}
    with services.database.read() as connection:
        people = [users.check_password(connection, it["username"], it["password"]) for it in made]
    offices = Counter(it.office for it in people if it and it.decides)
    assert all(people) and offices == dict.fromkeys(Office, 2)
    assert logins_of(services, tmp_path / "logins.json") == made


def test_who_looks_after_a_platform_sees_that_platform(services: Services, tmp_path: Path) -> None:
    logins = {it["role"]: it for it in logins_of(services, tmp_path / "logins.json")}
    feng = logins[Role.PLATFORM_VIEWER]
    with services.database.read() as connection:
        user = users.check_password(connection, feng["username"], feng["password"])
    assert user is not None and user.scope.platform_id == user.platform_id is not None


def test_a_password_that_was_changed_is_told_no_more(services: Services, tmp_path: Path) -> None:
    logins_of(services, tmp_path / "logins.json")
    with services.database.write() as connection:
        users.set_password(connection, "zhao", "another-horse-8", actor="test", now_ms=1)
    again = logins_of(services, tmp_path / "logins.json")
    assert [it["username"] for it in again if not it["password"]] == ["zhao"]
