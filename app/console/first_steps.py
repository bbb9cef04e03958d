"""What is to be done first where there is no class yet, and by whom."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

from sqlalchemy import Connection

from app.console.language import N_
from app.domain.accounts.users import DECIDES, Role, User
from app.domain.policy.procedure import Office
from app.store.accounts import users
from app.store.catalogue import institutions


@dataclass(frozen=True, slots=True)
class FirstStep:
    """`href`: where it is done; empty where others do it. `done`: None where that is not asked."""

    text: str
    href: str = ""
    done: bool | None = None


def first_steps(connection: Connection, user: User, classes: int) -> list[FirstStep]:
    """In their order; none once there is a class."""
    if classes:
        return []
    if user.role is Role.ADMIN:
        return _of_admin(connection, user)
    if user.role is Role.SCHOOL:
        begin = N_("开办班级：照六步做，准备好课程目录和花名册（Excel 即可）")
        return [FirstStep(begin, "/console/setups")]
    if user.role is Role.AUDITOR:
        there = bool(institutions.listed(connection, user.scope))
        return [
            FirstStep(N_("登记培训机构：代码、目录清单、年检"), "/console/institutions", there),
            FirstStep(N_("培训机构经办人开办班级；轮到您办理的步骤列在这一页")),
        ]
    return []


def _of_admin(connection: Connection, user: User) -> list[FirstStep]:
    active = [it for it in users.all_users(connection) if it.disabled_ms is None]
    roles = {it.role for it in active}
    staffed = {(it.role, it.office) for it in active} >= {*product(DECIDES, Office)}
    counties = bool(institutions.counties(connection))
    schools = bool(institutions.listed(connection, user.scope))
    return [
        FirstStep(N_("登记县区"), "/console/counties", counties),
        FirstStep(N_("登记培训机构"), "/console/institutions", schools),
        FirstStep(
            N_("新增用户：行业主管、人社、财政三个部门各一名审核员、一名复核员"),
            "/console/users",
            staffed,
        ),
        FirstStep(N_("新增培训机构经办人"), "/console/users", Role.SCHOOL in roles),
        FirstStep(N_("登记县里共用的学习平台；学校用自己平台的不必登记"), "/console/platforms"),
        FirstStep(N_("录入补贴标准"), "/console/subsidies"),
        FirstStep(N_("录入当年的放假与调休"), "/console/calendar"),
    ]
