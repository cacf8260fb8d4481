"""`qungong calendar` as a person at a terminal uses it."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app import clock
from app.settings import settings
from qungong.cli import app
from qungong.dev import sample
from tests.calendars.years import year_list

OFF = ("01-01", "02-13", "02-14", "02-15", "04-04", "05-01", "06-18", "09-21", *(f"10-0{day}" for day in range(1, 8)))  # fmt: skip
LIST = "date,kind,name\n2029-10-13,班,国庆节\n" + "".join(f"2029-{day},休,放假\n" for day in OFF)


def feed(*more: str) -> str:
    """The same days off as a feed, and a festival that closes nothing."""
    named = [(f"2029-{day}", "放假") for day in OFF] + [(day, "休") for day in more]
    return "BEGIN:VCALENDAR\n" + "".join(
        f"BEGIN:VEVENT\nDTSTART;VALUE=DATE:{day.replace('-', '')}\nSUMMARY:{name}\nEND:VEVENT\n"
        for day, name in [*named, ("2029-03-08", "妇女节（放假半天）")]
    )


def run(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["calendar", *words], env={"COLUMNS": "120"})
    return done.exit_code, done.output


@pytest.mark.parametrize(
    ("received", "limit", "due"),
    [
        ("2025-09-26T10:00", "5wd", "2025-10-10 23:59:59 +08:00  星期五"),
        ("2025-09-30T10:00", "3wd", "2025-10-11 23:59:59 +08:00  星期六"),
        ("2025-01-27T10:00", "3wd", "2025-02-07 23:59:59 +08:00  星期五"),
        ("2025-09-28T10:00", "1wd", "2025-09-29 23:59:59 +08:00  星期一"),
        ("2025-09-26T02:00+00:00", "4wh", "2025-09-26 16:00:00 +08:00  星期五"),
        ("1986-05-04T01:00", "0d", "1986-05-04 23:59:59 +09:00  星期日"),
    ],
)
def test_due_moment_is_the_first_line(received: str, limit: str, due: str) -> None:
    assert run("due", received, limit)[0] == 0
    assert run("due", received, limit)[1].splitlines()[0] == due


def test_days_that_count_and_those_that_do_not_are_told() -> None:
    told = run("due", "2025-09-26T19:00", "2wd")[1]
    assert "视为 2025-09-28 09:00 收到" in told
    assert "计入  09-29（一） 至 09-30（二）  2 天" in told
    over_holidays = run("due", "2025-09-29T10:00", "2wd")[1]
    assert "不计  10-01（三） 至 10-05（日）  5 天 国庆节" in over_holidays
    assert "计入  10-09（四）  1 天" in over_holidays
    assert "09-26（五）  1.5 小时" in run("due", "2025-09-26T16:30", "2wh")[1]


def test_what_rests_on_an_unpublished_year_is_said_to_be_provisional() -> None:
    told = run("due", "2098-12-30T10:00", "5wd")[1]
    assert told.splitlines()[0].endswith("暂定")
    assert "2098、2099 年的放假安排尚未发布" in told


@pytest.mark.parametrize("words", [("yesterday", "5wd"), ("2025-09-26T10:00", "5"), ("0001-01-01", "5wd")])  # fmt: skip
def test_what_is_no_moment_or_limit_is_a_message(words: tuple[str, str]) -> None:
    code, told = run("due", *words)
    assert code == 1
    assert told.startswith("✗")


@pytest.mark.parametrize("columns", ["80", "120", "200"])
def test_year_fits_the_terminal(columns: str) -> None:
    done = CliRunner().invoke(app, ["calendar", "show", "2025"], env={"COLUMNS": columns})
    assert done.exit_code == 0
    assert all(f"{month} 月" in done.output for month in range(1, 13))
    assert "28班" in done.output
    assert max(map(len, done.output.splitlines())) <= int(columns)
    assert "暂定" in run("show", "2099")[1]


def test_whoever_migrates_is_told_which_year_is_missing(
    fresh_database_url: str, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert redis_url
    monkeypatch.setenv("DATABASE_URL", fresh_database_url)
    settings.cache_clear()
    asyncio.run(sample.load())
    for moment, missing in (
        ("2026-10-31", []),
        ("2026-11-02", [2027]),
        ("2031-12-01", [2031, 2032]),
    ):
        then = datetime.fromisoformat(moment).replace(tzinfo=UTC)
        with clock.moved(then - datetime.now(UTC)):
            done = CliRunner().invoke(app, ["migrate"], env={"COLUMNS": "200"})
        assert done.exit_code == 0, done.output
        told = [line.split()[1] for line in done.output.splitlines() if line.startswith("!")]
        assert told == [str(year) for year in missing], moment


@pytest.fixture
def county_alone(fresh_database_url: str, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sample county in a database of its own."""
    assert redis_url
    monkeypatch.setenv("DATABASE_URL", fresh_database_url)
    settings.cache_clear()
    asyncio.run(sample.load())


def imported(file: Path, year: int = 2029, *flags: str) -> tuple[int, str]:
    return run("import", str(file), "--county", "500153", "--year", str(year), *flags)


DUE = ("due", "2029-09-28T10:00", "5wd", "--county", "500153")


@pytest.mark.usefixtures("county_alone")
def test_import_shows_the_days_and_publishes_only_when_agreed(tmp_path: Path) -> None:
    file = tmp_path / "2029.csv"
    file.write_bytes(LIST.encode("gbk"))
    code, told = imported(file)
    assert (code, "没有发布" in told) == (1, True), told
    assert "休  2029-01-01（一）放假、" in told
    assert "班  2029-10-13（六）国庆节" in told
    assert "暂定" in run(*DUE)[1]
    assert imported(file, 2029, "--yes")[0] == 0
    assert run(*DUE)[1].splitlines()[0] == "2029-10-12 23:59:59 +08:00  星期五"
    code, told = imported(file, 2029, "--yes")
    assert (code, "没有生成新的版本" in told) == (1, True), told


@pytest.mark.usefixtures("county_alone")
def test_import_names_what_it_passed_over_kept_and_doubts(tmp_path: Path) -> None:
    file = tmp_path / "2029.ics"
    file.write_text(
        feed("2028-12-29", "2029-10-15", "2029-10-16", "2031-10-01") + "END:VCALENDAR", "utf-8"
    )
    code, told = imported(file, 2029, "--yes")
    assert (code, "改变 16 天" in told) == (0, True), told
    assert "跳过 1 个日程（没有说明全天放假或上班）：妇女节（放假半天）" in told
    assert "跳过 1 天（不属于这一年的安排）：2031 年" in told
    assert "周末补班的天数为 15，通常为 11 至 13" in told
    file.write_text(feed() + "END:VCALENDAR", "utf-8")
    told = imported(file, 2029, "--yes")[1]
    assert "改变 2 天" in told
    assert "2028-12-29 未列出，保持不变" in told


@pytest.mark.usefixtures("county_alone")
def test_import_tells_past_days_bad_lines_and_unknown_counties(tmp_path: Path) -> None:
    file = tmp_path / "list.csv"
    file.write_text(year_list(2010), "utf-8")
    assert "天在昨天以前" in imported(file, 2010, "--yes")[1]
    file.write_text(LIST + "2029-13-01,休", "utf-8")
    code, told = imported(file, 2029, "--yes")
    assert (code, "第 18 行" in told) == (1, True), told
    assert "没有代码为 999999 的县" in run("show", "2029", "--county", "999999")[1]
