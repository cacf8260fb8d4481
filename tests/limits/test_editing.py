"""A county's limits in versions: what each says stays so, what says nothing new or cannot hold is refused."""

import asyncio
from datetime import datetime

import asyncpg
import pytest
from sqlalchemy import text

from app.calendars.working_time import Limit
from app.clock import SHANGHAI
from app.db import OWNER, Transaction, database, observers, transaction
from app.db import reading as only_reading
from app.directory.terms import UnitKind
from app.errors import InvalidInput, NothingChanged
from app.limits import editing, reading
from app.limits.editing import Said
from app.limits.rules import Measure, Place, RuleSet
from app.limits.terms import Kind, Stage

NOW = datetime(2026, 11, 22, 10, tzinfo=SHANGHAI)
SIGN = Place(Stage.SIGN)
COMPLAINT = Place(Stage.HANDLE, kind=Kind.COMPLAINT, urgent=False)


def measure(
    limit: str = "7wd", remind: int = 2, yellow: str = "0wd", red: str | None = "5wd"
) -> Measure:
    return Measure(
        Limit.parse(limit), remind, Limit.parse(yellow), None if red is None else Limit.parse(red)
    )


async def say(tx: Transaction, county_id: int, place: Place, said: Measure | None = None) -> Said:
    done = await editing.set_rule(
        tx, county_id, place, said or measure(), reason="会议纪要", staff_id=None, now=NOW
    )
    await tx.flush()
    return done


async def withdraw(tx: Transaction, county_id: int, place: Place) -> int:
    version = await editing.withdraw_rule(
        tx, county_id, place, reason="会议纪要", staff_id=None, now=NOW
    )
    await tx.flush()
    return version


def limits(rules: RuleSet) -> dict[Place, str]:
    return {one.place: str(one.limit) for one in rules.rules}


async def test_county_that_set_nothing_has_the_defaults(tx: Transaction, county_id: int) -> None:
    rules = await reading.rules_of(tx, county_id)
    assert (rules.version, rules.rules) == (0, ())
    found = rules.of(Stage.SIGN, tier=UnitKind.VILLAGE, kind=Kind.HELP, categories=(), urgent=False)
    assert found.name == "default/sign"


async def test_each_change_makes_a_version_and_older_ones_stay_as_they_were(
    tx: Transaction, county_id: int
) -> None:
    assert (await say(tx, county_id, SIGN, measure("4wh", 0))).version == 1
    assert (await say(tx, county_id, COMPLAINT)).version == 2
    assert (await say(tx, county_id, SIGN, measure("2wd"))).version == 3
    assert await withdraw(tx, county_id, COMPLAINT) == 4
    assert await withdraw(tx, county_id, SIGN) == 5
    assert (await say(tx, county_id, SIGN, measure("2wd"))).version == 6
    as_of = [limits(await reading.rules_of(tx, county_id, version)) for version in range(7)]
    assert as_of == [
        {},
        {SIGN: "4wh"},
        {SIGN: "4wh", COMPLAINT: "7wd"},
        {SIGN: "2wd", COMPLAINT: "7wd"},
        {SIGN: "2wd"},
        {},
        {SIGN: "2wd"},
    ]
    assert (await reading.rules_of(tx, county_id)).version == 6


async def test_rule_is_read_back_as_it_was_said_and_names_version_that_said_it(
    tx: Transaction, county_id: int
) -> None:
    category = await tx.scalar(text("SELECT min(id) FROM category WHERE level = 3"))
    place = Place(Stage.HANDLE, UnitKind.TOWNSHIP, Kind.HELP, category, urgent=True)
    said = await say(tx, county_id, place, measure("16wh", 2, "1d", "366d"))
    await say(tx, county_id, SIGN, measure(red=None))
    rules = await reading.rules_of(tx, county_id)
    assert rules.at(place) == said.rule
    assert said.rule.name == f"v1/handle/category-{category}/help/urgent/township"
    found = rules.at(SIGN)
    assert found is not None
    assert (found.measure, found.name) == (measure(red=None), "v2/sign")


async def test_counties_do_not_share_their_rules(tx: Transaction, county_id: int) -> None:
    sample = await tx.scalar(text("SELECT id FROM unit WHERE code = '500153'"))
    await say(tx, sample, SIGN, measure("11wd"))
    await say(tx, sample, COMPLAINT, measure("12wd"))
    await say(tx, county_id, SIGN, measure("13wd"))
    assert limits(await reading.rules_of(tx, county_id)) == {SIGN: "13wd"}
    there = limits(await reading.rules_of(tx, sample))
    assert (there[SIGN], there[COMPLAINT]) == ("11wd", "12wd")


async def test_what_says_nothing_new_is_refused(tx: Transaction, county_id: int) -> None:
    await say(tx, county_id, SIGN)
    with pytest.raises(NothingChanged):
        await say(tx, county_id, SIGN)
    with pytest.raises(NothingChanged, match="没有可撤销"):
        await withdraw(tx, county_id, COMPLAINT)
    await withdraw(tx, county_id, SIGN)
    with pytest.raises(NothingChanged):
        await withdraw(tx, county_id, SIGN)
    assert (await reading.rules_of(tx, county_id)).version == 2


@pytest.mark.parametrize(
    ("place", "said", "told"),
    [
        (SIGN, measure("367d"), "太长"),
        (SIGN, measure("262wd"), "太长"),
        (SIGN, measure("2092wh"), "太长"),
        (SIGN, measure("60d", red="400d"), "太长"),
        (SIGN, measure("60d", yellow="400d", red=None), "太长"),
        (SIGN, measure(red="0wd"), "晚于黄牌"),
        (SIGN, measure(yellow="5wd", red="7d"), "晚于黄牌"),
        (SIGN, measure("2wd", 3), "提前量"),
        (SIGN, measure("0wd", 1), "提前量"),
        (SIGN, measure("4wh", 1), "提前量"),
        (SIGN, measure("1d", 1), "提前量"),
        (Place(Stage.WHOLE), measure("30wd"), "不发牌"),
        (Place(Stage.WHOLE, UnitKind.VILLAGE), measure("30wd", red=None), "不分层级"),
        (Place(Stage.SUPPLEMENT, UnitKind.VILLAGE), measure("15d", red=None), "不分层级"),
        (Place(Stage.HANDLE, category_id=2**31 - 1), measure(), "没有这个分类"),
        (Place(Stage.INFORM), measure("15d", red=None), "法规规定"),
        (Place(Stage.STATUTORY, kind=Kind.HELP), measure("90d", red=None), "法规规定"),
    ],
)
async def test_what_cannot_hold_is_refused(
    tx: Transaction, county_id: int, place: Place, said: Measure, told: str
) -> None:
    with pytest.raises(InvalidInput, match=told):
        await say(tx, county_id, place, said)
    assert (await reading.rules_of(tx, county_id)).version == 0


@pytest.mark.parametrize(
    ("place", "said"),
    [
        (SIGN, measure("366d")),
        (SIGN, measure("261wd", 261)),
        (SIGN, measure("1wd", 1)),
        (SIGN, measure("8wh", 1)),
        (SIGN, measure(yellow="5wd", red="8d")),
        (Place(Stage.WHOLE, kind=Kind.HELP), measure("30wd", red=None)),
    ],
)
async def test_what_is_just_within_the_bounds_is_taken(
    tx: Transaction, county_id: int, place: Place, said: Measure
) -> None:
    assert (await say(tx, county_id, place, said)).version == 1


_TAMPERING = (
    "UPDATE limit_rule SET withdrawn = true",
    "DELETE FROM limit_rule",
    "UPDATE limit_change SET reason = ''",
    "DELETE FROM limit_change",
    "TRUNCATE limit_rule",
    "TRUNCATE limit_change",
)


@pytest.mark.parametrize("statement", _TAMPERING)
async def test_database_refuses_to_change_what_a_version_said(
    tx: Transaction, county_id: int, statement: str
) -> None:
    await say(tx, county_id, SIGN)
    await tx.act_as(OWNER)
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
        await tx.execute(text(statement))


async def test_version_cannot_say_two_things_of_one_place(tx: Transaction, county_id: int) -> None:
    await say(tx, county_id, SIGN)
    again = text("""
INSERT INTO limit_rule (county_id, version, stage, "limit", remind_before, yellow_after, withdrawn)
SELECT county_id, version, stage, '9wd', 0, '0wd', false FROM limit_rule WHERE county_id = :county_id
""")
    with pytest.raises(asyncpg.UniqueViolationError, match="limit_rule_place"):
        await tx.execute(again, county_id=county_id)


async def test_two_who_edit_at_once_make_two_versions(county: None) -> None:
    assert county is None

    async def one(sample: int, limit: str) -> int:
        async with transaction() as tx:
            return (await say(tx, sample, Place(Stage.EXTENSION_DECISION), measure(limit))).version

    async with only_reading() as tx:
        sample = await tx.scalar(text("SELECT id FROM unit WHERE code = '500153'"))
        before = (await reading.rules_of(tx, sample)).version
    made = await asyncio.gather(*(one(sample, f"{number}wd") for number in (11, 12, 13)))
    assert sorted(made) == [before + 1, before + 2, before + 3]
    async with transaction() as tx:
        await withdraw(tx, sample, Place(Stage.EXTENSION_DECISION))


async def test_version_read_before_costs_no_statement(county: None) -> None:
    assert county is None
    async with transaction() as tx:
        sample = await tx.scalar(text("SELECT id FROM unit WHERE code = '500153'"))
        version = (await say(tx, sample, Place(Stage.SUPERVISED_REPLY), measure("12wd"))).version
    async with only_reading() as tx:
        first = await reading.rules_of(tx, sample, version)
        sent: list[str] = []
        observers.append(sent.append)
        try:
            again = await reading.rules_of(tx, sample, version)
            assert sent == []
            reading.forget()
            await reading.rules_of(tx, sample, version)
            assert len(sent) == 1
        finally:
            observers.remove(sent.append)
    assert again is first
    async with transaction() as tx:
        await withdraw(tx, sample, Place(Stage.SUPERVISED_REPLY))


async def test_version_that_was_undone_is_not_remembered(county: None) -> None:
    assert county is None
    place = Place(Stage.HAND_BACK_DECISION)

    async def edit_and_fail(limit: str) -> None:
        async with database().connection() as driver:
            work = Transaction(driver)
            sample = await work.scalar(text("SELECT id FROM unit WHERE code = '500153'"))
            said = await say(work, sample, place, measure(limit))
            found = (await reading.rules_of(work, sample, said.version)).at(place)
            await work.roll_back()
        assert found is not None
        assert str(found.limit) == limit

    for limit in ("11wd", "12wd"):
        await edit_and_fail(limit)


async def test_version_that_never_was_is_not_taken_for_an_empty_one(
    tx: Transaction, county_id: int
) -> None:
    with pytest.raises(LookupError, match="no limits of version 7"):
        await reading.rules_of(tx, county_id, 7)


async def test_line_of_a_category_goes_from_it_to_the_top(tx: Transaction) -> None:
    row = (await tx.all(text("SELECT c.id, c.parent_id, p.parent_id AS top FROM category c JOIN category p ON p.id = c.parent_id WHERE c.level = 3 LIMIT 1")))[0]  # fmt: skip
    assert await reading.line_of(tx, row.id) == (row.id, row.parent_id, row.top)
    assert await reading.line_of(tx, None) == ()
    assert await reading.line_of(tx, 2**31 - 1) == ()
