"""The sample county 荣昌区 with its units, categories and invented staff: for trying out, never for production."""

import asyncio
import csv
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from importlib.resources import files
from typing import Any, Final

from sqlalchemy import text
from typing_extensions import override

from app.auth.passwords import hash_password
from app.calendars import seeding
from app.db import OWNER, Database, Transaction, transaction
from app.db.row_base import seal_of
from app.directory import divisions
from app.directory.importing import import_divisions
from app.directory.models import Staff
from app.directory.terms import ACTING_ROLES, Role, UnitKind
from app.settings import settings

PASSWORD: Final = "qungong-2026"  # noqa: S105 - printed for everyone to try
# The community of the county's story; its poster is the one to try.
VILLAGE: Final = "500153003007"
COUNTY: Final = "500153"
COMMAND_CENTER: Final = f"{COUNTY}ZH"
DISCIPLINE: Final = f"{COUNTY}JW"
_SINCE = date(2016, 1, 1)


@dataclass(frozen=True, slots=True)
class SampleAccount:
    account: str
    name: str
    unit: str
    role: str
    password: str

    @override
    def __str__(self) -> str:
        return f"{self.account} / {self.password}  {self.name}，{self.unit} {self.role}"


@dataclass(frozen=True, slots=True)
class Post:
    """Somebody invented, in one post; `unit` is only how the unit is called when it is printed."""

    account: str
    name: str
    code: str
    unit: str
    role: Role
    title: str


_POSTS: Final = (
    Post("gongnong", "陈桂芳", VILLAGE, "工农茶叶产业社区", Role.VILLAGE_CADRE, "社区干部"),
    Post("guangshun", "周启明", "500153003", "广顺街道", Role.TOWNSHIP_CLERK, "群工办干事"),
    Post("guangshun_head", "唐国梁", "500153003", "广顺街道", Role.UNIT_HEAD, "办事处主任"),
    Post("zhihui", "罗晓燕", COMMAND_CENTER, "指挥中心", Role.DISPATCHER, "调度员"),
    Post("zhihui_head", "郑立新", COMMAND_CENTER, "指挥中心", Role.UNIT_HEAD, "指挥中心主任"),
    Post("ducha", "贺敏", COMMAND_CENTER, "指挥中心", Role.SUPERVISOR, "督查员"),
    # Two in each: about what one of them issued to the other's unit, the second decides.
    Post("duchashi", "温立群", COMMAND_CENTER, "指挥中心", Role.SUPERVISOR, "督查室主任"),
    Post("jiwei", "蒋正文", DISCIPLINE, "纪委监委", Role.SUPERVISOR, "监察员"),
    Post("jiandu", "秦守义", DISCIPLINE, "纪委监委", Role.SUPERVISOR, "监督室主任"),
    Post("ronglong", "刘德荣", "500153100", "荣隆镇", Role.TOWNSHIP_CLERK, "群工办干事"),
    Post("ronglong_head", "石海涛", "500153100", "荣隆镇", Role.UNIT_HEAD, "镇长"),
    Post("shuiwu", "吴清泉", "500153D11", "县水务局", Role.UNIT_HANDLER, "供水科科员"),
    Post("shuiwu_head", "邓长江", "500153D11", "县水务局", Role.UNIT_HEAD, "局长"),
    Post("lingdao", "黄志远", COUNTY, "荣昌区", Role.LEADER, "副区长"),
    Post("admin", "谢文静", COUNTY, "荣昌区", Role.ADMINISTRATOR, "系统管理员"),
    # One person with two posts.
    Post("jianzhi", "龙小平", "500153005", "安富街道", Role.TOWNSHIP_CLERK, "群工办干事"),
    Post("jianzhi", "龙小平", "500153D36", "县信访办公室", Role.UNIT_HANDLER, "接访科科员"),
)

_KNOWN = text("SELECT count(*) FROM staff WHERE account = ANY(:accounts)")
# What the posters' pages show. No exchange begins with 0000, so nobody is called by these numbers; the county's hotline is
# the one that every county has.
_CONTACTS: Final = text("""
UPDATE unit u SET contact_name = coalesce(g.name, '值班人员'),
  public_phone = CASE u.kind WHEN 'county' THEN '12345' ELSE '+862300' || lpad(CAST(u.id % 1000000 AS text), 6, '0') END
FROM unit o LEFT JOIN unnest(CAST(:codes AS text[]), CAST(:names AS text[])) AS g(code, name) ON g.code = o.code
WHERE o.id = u.id AND u.public_phone IS NULL AND u.valid_to IS NULL
  AND u.county_id = (SELECT id FROM unit WHERE code = :county)
""")
_OFFICES = text("""
INSERT INTO unit (code, name, short_name, kind, parent_id, county_id, valid_from, head_approves)
SELECT o.code, o.name, o.short_name, o.kind, c.id, c.id, :since, false
FROM unnest(CAST(:codes AS text[]), CAST(:names AS text[]), CAST(:shorts AS text[]), CAST(:kinds AS text[]))
  AS o(code, name, short_name, kind)
JOIN unit c ON c.code = :county
ON CONFLICT (code) DO NOTHING
""")
# Level by level: a path's parent is what stands before its last name.
_CATEGORIES = text("""
INSERT INTO category (parent_id, level, name, path, active)
SELECT p.id, :level, n.name, n.path, true
FROM unnest(CAST(:names AS text[]), CAST(:paths AS text[]), CAST(:above AS text[])) WITH ORDINALITY
  AS n(name, path, above, place)
LEFT JOIN category p ON p.path = n.above
ORDER BY n.place
ON CONFLICT (path) DO NOTHING
""")
# The posts only of those added now: an account that was there keeps what its administrator gave it.
_STAFF = text("""
WITH given AS (
  SELECT * FROM unnest(CAST(:accounts AS text[]), CAST(:names AS text[]), CAST(:codes AS text[]),
    CAST(:roles AS text[]), CAST(:titles AS text[]), CAST(:seals AS bytea[]))
    WITH ORDINALITY AS g(account, name, code, role, title, seal, place)
), added AS (
  INSERT INTO staff (account, name, password_hash, active, created_at, seal)
  SELECT account, min(name), :password_hash, true, now(), (array_agg(seal))[1] FROM given GROUP BY account ORDER BY min(place)
  ON CONFLICT (account) DO NOTHING RETURNING id, account
)
INSERT INTO post (staff_id, unit_id, role, title, valid_from)
SELECT a.id, u.id, g.role, g.title, :since
FROM given g JOIN added a ON a.account = g.account JOIN unit u ON u.code = g.code ORDER BY g.place
""")


def accounts() -> list[SampleAccount]:
    """Every sample account and post, for printing; an account with two posts is named twice."""
    return [
        SampleAccount(post.account, post.name, post.unit, post.role.chinese, PASSWORD)
        for post in _POSTS
    ]


async def load() -> None:
    """Load what is missing, in one transaction; loading again changes nothing."""
    # As the owner: statistics are taken on the way.
    on = Database(settings().database_url, pool_size=1, role=OWNER)
    try:
        async with transaction(on) as tx:
            given = sorted({post.account for post in _POSTS})
            if await tx.scalar(_KNOWN, accounts=given) < len(given):
                await _load(tx)
    finally:
        await on.close()


async def _load(tx: Transaction) -> None:
    reading = divisions.read(files("qungong").joinpath("data/divisions.csv").read_bytes())
    await import_divisions(tx, reading, valid_from=_SINCE)
    await seeding.seed_all(tx, await tx.now())
    await tx.execute(_OFFICES, county=COUNTY, since=_SINCE, **_offices())
    await _load_categories(tx)
    await employ(tx, _POSTS)
    await _publish_contacts(tx)


async def employ(tx: Transaction, posts: Sequence[Post]) -> None:
    """Add whose account is not there yet, with the published password."""
    # One hash for all: each takes a tenth of a second, and the password is no secret.
    hashed = await asyncio.to_thread(hash_password, PASSWORD)
    await tx.execute(
        _STAFF,
        accounts=[post.account for post in posts],
        names=[post.name for post in posts],
        codes=[post.code for post in posts],
        roles=[post.role for post in posts],
        titles=[post.title for post in posts],
        seals=[seal_of(Staff, {"account": one.account, "name": one.name}) for one in posts],
        password_hash=hashed,
        since=_SINCE,
    )


async def _publish_contacts(tx: Transaction) -> None:
    """Of each unit the first person who acts for it, where the sample has one."""
    acting = {post.code: post.name for post in reversed(_POSTS) if post.role in ACTING_ROLES}
    await tx.execute(
        _CONTACTS, county=COUNTY, codes=list(acting), names=[acting[code] for code in acting]
    )


def _offices() -> dict[str, Any]:
    departments = [
        (f"{COUNTY}{row['code']}", row["name"], row["short"], UnitKind.DEPARTMENT)
        for row in _rows("departments.csv")
    ]
    offices = [
        (COMMAND_CENTER, "荣昌区群工系统指挥中心", "指挥中心", UnitKind.COMMAND_CENTER),
        (DISCIPLINE, "荣昌区纪委监委", "纪委监委", UnitKind.DISCIPLINE),
        *departments,
    ]
    return dict(zip(("codes", "names", "shorts", "kinds"), zip(*offices, strict=True), strict=True))


async def _load_categories(tx: Transaction) -> None:
    listed = [tuple(row.values()) for row in _rows("categories.csv")]
    for level in (1, 2, 3):
        paths = list(dict.fromkeys(row[:level] for row in listed))
        await tx.execute(
            _CATEGORIES,
            level=level,
            names=[path[-1] for path in paths],
            paths=["/".join(path) for path in paths],
            above=["/".join(path[:-1]) for path in paths],
        )


def _rows(name: str) -> list[dict[str, str]]:
    lines = files("qungong").joinpath("data", name).read_text("utf-8").splitlines()
    return list(csv.DictReader(lines))
