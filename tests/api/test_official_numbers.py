"""The numbers of units and of staff: the administrator enters, sees and takes them out; for everybody else there are none."""

import asyncio
import itertools
from pathlib import Path

import asyncpg
import pytest
from rich.progress import Progress
from sqlalchemy import text

from app.db import OWNER, transaction
from app.directory.official_numbers import NumbersRefused
from qungong.commands.import_phones import import_numbers
from tests.api.conftest import Who
from tests.people import Person

_numbers = itertools.count(1)
VILLAGE = "500153003007"


def new_phone() -> str:
    return f"137{next(_numbers):08d}"


async def listed(admin: Person) -> dict[str, dict[str, object]]:
    page = await admin.sees("/official-numbers", size=2)
    found = list(page["items"])
    while page["next"] is not None:
        page = await admin.sees("/official-numbers", size=2, after=page["next"])
        found += page["items"]
    return {one["phone"]: one for one in found}


async def test_administrator_enters_a_number_and_takes_it_out(who: Who) -> None:
    admin, phone = await who("admin"), new_phone()
    entered = await admin.does("/official-numbers", phone=phone, unit_code=VILLAGE)
    assert (entered["phone"], entered["unit_code"]) == (f"+86{phone}", VILLAGE)
    again = await admin.post("/official-numbers", {"phone": phone, "unit_code": VILLAGE})
    assert (again.status_code, again.json()["type"]) == (409, "/problems/nothing-changed")
    other = await admin.does("/official-numbers", phone=new_phone(), account="gongnong")
    assert other["staff"] == "陈桂芳"
    assert f"+86{phone}" in await listed(admin)
    await admin.does(f"/official-numbers/{entered['id']}/remove")
    assert f"+86{phone}" not in await listed(admin)
    gone = await admin.post(f"/official-numbers/{entered['id']}/remove")
    assert gone.status_code == 404
    assert (await admin.does("/official-numbers", phone=phone, unit_code=VILLAGE))["id"]


@pytest.mark.parametrize(
    "body",
    [
        {"phone": "13700009999"},
        {"phone": "13700009999", "unit_code": VILLAGE, "account": "gongnong"},
        {"phone": "13700009999", "unit_code": "500153999999"},
        {"phone": "13700009999", "account": "nobody"},
        {"phone": "023-46772345", "unit_code": VILLAGE},
        {"phone": "1", "unit_code": VILLAGE},
    ],
)
async def test_what_is_no_number_or_nobodys_is_refused(who: Who, body: dict[str, str]) -> None:
    refused = await (await who("admin")).post("/official-numbers", body)
    assert refused.status_code == 422
    assert "13700009999" not in refused.text


@pytest.mark.parametrize("account", ["gongnong", "zhihui", "ducha", "lingdao", "shuiwu_head"])
async def test_nobody_but_the_administrator_sees_or_changes_them(who: Who, account: str) -> None:
    admin, other = await who("admin"), await who(account)
    entered = await admin.does("/official-numbers", phone=new_phone(), unit_code=VILLAGE)
    refused = [
        await other.get("/official-numbers"),
        await other.post("/official-numbers", {"phone": new_phone(), "unit_code": VILLAGE}),
        await other.post(f"/official-numbers/{entered['id']}/remove"),
    ]
    assert {one.status_code for one in refused} == {403}
    assert entered["phone"] in await listed(admin)


def _file(folder: Path, *lines: str, encoding: str = "utf-8-sig") -> Path:
    path = folder / "phones.csv"
    path.write_text("\n".join(("phone,unit,account", *lines, "")), encoding)
    return path


async def test_list_is_imported_whole_and_again_without_effect(who: Who, tmp_path: Path) -> None:
    phones = [new_phone() for _ in range(3)]
    path = _file(
        tmp_path, f"{phones[0]},{VILLAGE},", f"{phones[1]},,gongnong", "", f"{phones[0]},,gongnong",
        f"+86 {phones[2]},{VILLAGE},",
    )  # fmt: skip
    for added in (4, 0):
        with Progress(disable=True) as progress:
            done = await asyncio.to_thread(import_numbers, path, progress)
        assert (done.listed, done.added) == (4, added)
    assert {f"+86{one}" for one in phones} <= (await listed(await who("admin"))).keys()


async def test_each_bad_line_is_named_without_the_number_and_nothing_is_entered(
    who: Who, tmp_path: Path
) -> None:
    good = new_phone()
    path = _file(
        tmp_path,
        f"{good},{VILLAGE},",
        "13700008888,,",
        "13700008888,500153999999,",
        "137,,gongnong",
        "02346772345,,gongnong",
        f"{good},{VILLAGE},",
        "13700008888",
        "13700008888,,nobody",
    )
    with Progress(disable=True) as progress, pytest.raises(NumbersRefused) as refused:
        await asyncio.to_thread(import_numbers, path, progress)
    assert [fault.line for fault in refused.value.faults] == [3, 4, 5, 6, 7, 8, 9]
    assert "第 7 行：与第 2 行重复" in refused.value.told
    assert "13700008888" not in refused.value.told
    assert f"+86{good}" not in await listed(await who("admin"))


@pytest.mark.parametrize("encoding", ["gb18030", "utf-16"])
def test_list_in_another_encoding_is_refused(tmp_path: Path, encoding: str, county: None) -> None:
    assert county is None
    path = _file(tmp_path, "13700008888,,陈", encoding=encoding)
    with Progress(disable=True) as progress, pytest.raises(NumbersRefused, match="UTF-8"):
        import_numbers(path, progress)


async def test_two_who_enter_the_same_number_at_once_enter_it_once(who: Who) -> None:
    admin, phone = await who("admin"), new_phone()
    body = {"phone": phone, "unit_code": VILLAGE}
    done = await asyncio.gather(*(admin.post("/official-numbers", body) for _ in range(4)))
    assert sorted(one.status_code for one in done) == [201, 409, 409, 409]


async def test_supervisors_see_who_entered_and_removed_a_number(who: Who, tmp_path: Path) -> None:
    admin, phone = await who("admin"), new_phone()
    entered = await admin.does("/official-numbers", phone=phone, account="gongnong")
    await admin.does(f"/official-numbers/{entered['id']}/remove")
    imported = new_phone()
    listing = tmp_path / "numbers.csv"
    listing.write_text(f"phone,unit,account\n{imported},{VILLAGE},\n", encoding="utf-8")
    with Progress(disable=True) as progress:
        await asyncio.to_thread(import_numbers, listing, progress)
    for account in ("ducha", "jiwei"):
        supervisor = await who(account)
        page = await supervisor.sees("/official-numbers/changes", size=2)
        items = page["items"]
        page = await supervisor.sees("/official-numbers/changes", size=1, before=page["next"])
        items += page["items"]
        told = [
            (one["change"], one["number"], one["account"], one["unit_code"], one["by"] is None)
            for one in items
        ]
        assert told == [
            ("entered", f"****{imported[-4:]}", None, VILLAGE, True),
            ("removed", f"****{phone[-4:]}", "gongnong", None, False),
            ("entered", f"****{phone[-4:]}", "gongnong", None, False),
        ]
        assert phone not in str(items)
        assert imported not in str(items)


@pytest.mark.parametrize("account", ["admin", "gongnong", "zhihui", "lingdao", "shuiwu_head"])
async def test_log_of_numbers_is_refused_to_all_but_supervisors(who: Who, account: str) -> None:
    refused = await (await who(account)).get("/official-numbers/changes")
    assert (refused.status_code, refused.json()["type"]) == (403, "/problems/not-permitted")


@pytest.mark.parametrize(
    "change",
    ["UPDATE official_number_change SET last_four = '0000'", "DELETE FROM official_number_change"],
)
async def test_database_refuses_to_change_the_log_of_numbers(who: Who, change: str) -> None:
    await (await who("admin")).does("/official-numbers", phone=new_phone(), unit_code=VILLAGE)
    for role in (None, OWNER):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await _execute(change, role)


async def _execute(change: str, role: str | None) -> None:
    async with transaction() as tx:
        if role is not None:
            await tx.act_as(role)
        await tx.execute(text(change))
