"""Lists of days off, as people keep them and as feeds bring them: taken whole, or refused line by line."""

from contextlib import suppress
from datetime import date, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.calendars import importing
from app.calendars.importing import DaysRefused, read
from app.calendars.working_time import Day, Hours
from app.errors import InvalidInput

CSV = """date,kind,name,opens,closes
2026-10-01,休,国庆节
2026/10/2,off,国庆节
20261003,OFF,"国庆节"
2026-10-10,班,国庆节调休

2026-03-08,半,妇女节,08:30,11:30
2026-03-09,half
"""
OFF = Day(working=False, name="国庆节")
FEED = "\r\n".join(
    [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//test//CN",
        "BEGIN:VEVENT",
        "UID:1",
        "DTSTART;VALUE=DATE:20261001",
        "DTEND;VALUE=DATE:20261004",
        "SUMMARY;LANGUAGE=zh_CN:国庆节（休）",
        "X-APPLE-SPECIAL-DAY:WORK-HOLIDAY",
        "END:VEVENT",
        "BEGIN:VEVENT",
        "UID:2",
        "DTSTART;VALUE=DATE:20261010",
        "SUMMARY:国庆",
        " 节（调休上",
        " 班）",
        "END:VEVENT",
        "BEGIN:VEVENT",
        "UID:3",
        "DTSTART;VALUE=DATE:20260925",
        "DTEND;VALUE=DATE:20260926",
        "SUMMARY:中秋节 假期 第1天/共3天",
        "END:VEVENT",
        "BEGIN:VEVENT",
        "UID:4",
        "DTSTART;VALUE=DATE:20261222",
        "SUMMARY:冬至",
        "END:VEVENT",
        "BEGIN:VEVENT",
        "UID:5",
        "DTSTART;VALUE=DATE:20270101",
        "SUMMARY:休｜元旦",
        "END:VEVENT",
        "END:VCALENDAR",
        "",
    ]
)
FED = {
    date(2026, 10, 1): OFF,
    date(2026, 10, 2): OFF,
    date(2026, 10, 3): OFF,
    date(2026, 10, 10): Day(working=True, name="国庆节"),
    date(2026, 9, 25): Day(working=False, name="中秋节"),
}


def event(*lines: str) -> bytes:
    return "\r\n".join(
        ["BEGIN:VCALENDAR", "BEGIN:VEVENT", *lines, "END:VEVENT", "END:VCALENDAR"]
    ).encode()


def feed(*days: tuple[str, str]) -> str:
    """Days with their names."""
    events = "".join(
        f"BEGIN:VEVENT\r\nDTSTART;VALUE=DATE:{day}\r\nSUMMARY:{name}\r\nEND:VEVENT\r\n"
        for day, name in days
    )
    return f"BEGIN:VCALENDAR\r\n{events}END:VCALENDAR\r\n"


def refusal(data: str | bytes, year: int | None = None) -> str:
    with pytest.raises(InvalidInput) as refused:
        read(data if isinstance(data, bytes) else data.encode(), year)
    return str(refused.value)


def test_csv_is_read_however_its_dates_and_kinds_are_written() -> None:
    assert read(CSV.encode()).days == {
        date(2026, 10, 1): OFF,
        date(2026, 10, 2): OFF,
        date(2026, 10, 3): OFF,
        date(2026, 10, 10): Day(working=True, name="国庆节调休"),
        date(2026, 3, 8): Day(True, Hours(time(8, 30), None, None, time(11, 30)), "妇女节"),
        date(2026, 3, 9): Day(True, Hours(time(9), None, None, time(12))),
    }


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030"])
def test_both_kinds_of_list_are_read_in_the_encodings_they_come_in(encoding: str) -> None:
    assert read(CSV.encode(encoding)).days == read(CSV.encode()).days
    # GBK has no ｜ trouble: it is written there too.
    assert read(FEED.encode(encoding), 2026).days == FED


def test_feed_gives_days_of_year_asked_for_and_passes_mere_festivals_over() -> None:
    found = read(FEED.encode(), 2026)
    assert found.days == FED
    assert found.passed_over == {"冬至": 1}
    assert found.other_years == {2027: 1}
    assert read(FEED.encode()).days == {**FED, date(2027, 1, 1): Day(working=False, name="元旦")}


@pytest.mark.parametrize(
    "listed",
    [
        "date,kind,name\n2018-12-29,班,元旦\n2018-12-31,休,元旦\n2019-01-01,休,元旦\n",
        feed(
            ("20181229", "元旦（班）"),
            ("20181231", "元旦（休）"),
            ("20190101", "元旦（休）"),
            ("20181001", "国庆节（休）"),
            ("20200101", "元旦（休）"),
            ("20200124", "除夕（休）"),
        ),
    ],
    ids=["csv", "feed"],
)
def test_years_list_reaches_back_into_the_december_before(listed: str) -> None:
    found = read(listed.encode(), 2019)
    assert found.days == {
        date(2018, 12, 29): Day(working=True, name="元旦"),
        date(2018, 12, 31): Day(working=False, name="元旦"),
        date(2019, 1, 1): Day(working=False, name="元旦"),
    }


def test_of_feed_with_many_years_it_is_told_how_many_days_of_which_were_left() -> None:
    many = [(f"{year}0101", "元旦（休）") for year in (2018, 2019, 2020)]
    assert read(feed(*many, ("20181001", "国庆节（休）")).encode(), 2019).other_years == {
        2018: 2,
        2020: 1,
    }


@pytest.mark.parametrize("name", ["国庆节调休", "国庆节（调休）", "国庆节 调休 第1天/共1天"])
def test_weekend_named_as_a_make_up_day_is_worked(name: str) -> None:
    assert read(feed(("20261010", name)).encode()).days == {
        date(2026, 10, 10): Day(working=True, name="国庆节")
    }


def test_weekday_named_so_may_be_either_and_is_named() -> None:
    message = refusal(feed(("20261010", "国庆节（班）"), ("20261007", "国庆节调休")))
    assert "第 2 个日程（国庆节调休）：“调休”未说明是休还是班" in message
    over_a_weekend = event(
        "DTSTART;VALUE=DATE:20261009", "DTEND;VALUE=DATE:20261011", "SUMMARY:国庆节调休"
    )
    assert "未说明是休还是班" in refusal(over_a_weekend)
    other_year = feed(("20261010", "国庆节（班）"), ("20251007", "国庆节调休")).encode()
    assert list(read(other_year, 2026).days) == [date(2026, 10, 10)]


@pytest.mark.parametrize(
    ("name", "working"),
    [("调休放假", False), ("国庆节（调休）休", False), ("春节补休", False), ("调休上班", True)],
)
def test_where_a_swapped_day_says_which_it_is_believed(name: str, *, working: bool) -> None:
    assert [one.working for one in read(feed(("20261007", name)).encode()).days.values()] == [
        working
    ]


@pytest.mark.parametrize(
    "name",
    [
        "妇女节（妇女放假半天）",
        "三八节（休）",
        "青年节 放假半天",
        "儿童节（少年儿童放假1天）",
        "建军节（现役军人放假半天）",
        "除夕（下午放假半天）",
        "教师节（不放假）",
    ],
)
def test_holiday_for_a_part_of_the_people_or_of_the_day_closes_nothing(name: str) -> None:
    found = read(feed(("20261001", "国庆节（休）"), ("20260504", name)).encode(), 2026)
    assert list(found.days) == [date(2026, 10, 1)]
    assert found.passed_over == {name: 1}


ORDINARY = (
    "退休干部座谈会",
    "假山公园游园会",
    "值班：张三",
    "周末加班赶报告",
    "请假：李四",
    "春节值班表",
    "学生放假",
    "家长开放日（班级活动）",
    "午休",
    "休渔期开始",
    "班长培训",
    "公司团建 放假一天",
    "银行休息日",
    "除夕（不休）",
    "国庆节（10月10日上班）",
)


def test_ordinary_events_change_no_day_and_are_named() -> None:
    days = [(f"202608{number:02d}", name) for number, name in enumerate(ORDINARY, start=3)]
    found = read(feed(("20261001", "国庆节（休）"), *days).encode(), 2026)
    assert found.days == {date(2026, 10, 1): OFF}
    assert list(found.passed_over) == list(ORDINARY)


@pytest.mark.parametrize(
    ("name", "working"),
    [
        ("春节（放假，2月14日上班）", False),
        ("春节（放假，2月14日（周六）、2月28日（周六）上班）", False),
        ("春节（放假共9天；2.14、2.28上班）", False),
        ("春节（2月16日至23日放假，2月14日上班）", False),
        ("国庆节（2月16日上班）", True),
        ("春节假期补班", True),
        ("2026年春节 补班日", True),
        ("休｜春节 第2天/共9天", False),
        ("春节长假", False),
    ],
)
def test_words_about_other_days_do_not_count(name: str, *, working: bool) -> None:
    found = read(feed(("20260216", name)).encode()).days
    assert [one.working for one in found.values()] == [working]


def test_name_that_says_off_and_worked_is_a_fault() -> None:
    assert "既有放假又有上班" in refusal(feed(("20260216", "春节放假调休上班")))


def test_day_off_for_everybody_is_off_although_it_is_also_childrens_day() -> None:
    assert read(feed(("20250601", "端午节 儿童节（休）")).encode()).days


def test_end_of_an_event_is_the_day_after_its_last() -> None:
    days = read(
        event("DTSTART;VALUE=DATE:20280228", "DTEND;VALUE=DATE:20280301", "SUMMARY:休")
    ).days
    assert list(days) == [date(2028, 2, 28), date(2028, 2, 29)]
    lasting = event("DTSTART;VALUE=DATE:20280228", "DURATION:P2D", "SUMMARY:春节（休）")
    assert list(read(lasting).days) == list(days)


@pytest.mark.parametrize(
    ("begins", "ends"),
    [
        ("DTSTART:20280228T000000", "DTEND:20280301T000000"),
        ("DTSTART;TZID=Asia/Shanghai:20280228T000000", "DTEND;TZID=Asia/Shanghai:20280301T000000"),
        ("DTSTART:20280227T160000Z", "DTEND:20280229T160000Z"),
        ("DTSTART;VALUE=DATE:20280228", "DTEND:20280229T235900"),
        ("DTSTART:20280228T000000", "DTEND:20280229T235959"),
        ("DTSTART:20280228T000000", "DURATION:P2D"),
    ],
)
def test_whole_days_that_are_written_from_midnight_to_midnight_are_days(
    begins: str, ends: str
) -> None:
    days = read(event(begins, ends, "SUMMARY:春节（休）")).days
    assert list(days) == [date(2028, 2, 28), date(2028, 2, 29)]


@pytest.mark.parametrize(
    ("begins", "ends"),
    [
        ("DTSTART:20280228T090000", "DTEND:20280228T120000"),
        ("DTSTART:20280228T000000Z", "DTEND:20280229T000000Z"),
        ("DTSTART:20280228T000000", "DTEND:20280229T120000"),
        ("DTSTART:20280228T235900", "DTEND:20280301T000000"),
    ],
)
def test_hours_of_a_day_are_none(begins: str, ends: str) -> None:
    assert "应为全天日程" in refusal(event(begins, ends, "SUMMARY:春节（休）"))


@pytest.mark.parametrize(
    ("begins", "ends"),
    [
        ("DTSTART:20261010T090000", "DTEND:20261010T180000"),
        ("DTSTART;TZID=Asia/Shanghai:20261010T090000", "DTEND;TZID=Asia/Shanghai:20261010T180000"),
        ("DTSTART:20261010T010000Z", "DTEND:20261010T100000Z"),
        ("DTSTART:20261010T083000", "DURATION:PT9H"),
    ],
)
def test_event_with_hours_within_one_day_is_that_day(begins: str, ends: str) -> None:
    found = read(event(begins, ends, "SUMMARY:国庆节 补班"))
    assert found.days == {date(2026, 10, 10): Day(working=True, name="国庆节")}


@pytest.mark.parametrize("encoding", ["utf-8", "gbk"])
def test_line_folded_in_the_middle_of_a_character_is_read(encoding: str) -> None:
    whole = event("DTSTART;VALUE=DATE:20280228", "SUMMARY:国庆节（调休上班）").decode()
    written = whole.encode(encoding)
    middle = written.index("庆".encode(encoding)) + 1
    folded = written[:middle] + b"\r\n " + written[middle:]
    assert read(folded).days == {date(2028, 2, 28): Day(working=True, name="国庆节")}


def test_list_may_be_headed_in_chinese() -> None:
    listed = "日期,类别,名称,上班,下班\n2026/10/1,休,国庆节\n2026/3/8,半,妇女节,08:30,11:30\n"
    assert read(listed.encode("gbk")).days == {
        date(2026, 10, 1): OFF,
        date(2026, 3, 8): Day(True, Hours(time(8, 30), None, None, time(11, 30)), "妇女节"),
    }


def test_what_has_no_name_is_passed_over_as_such() -> None:
    nameless = feed(("20261001", "国庆节（休）"), ("20261002", ""))
    assert read(nameless.encode()).passed_over == {"（无名称）": 1}


def test_cancelled_event_is_none() -> None:
    cancelled = event("DTSTART;VALUE=DATE:20280228", "STATUS:CANCELLED", "SUMMARY:休")
    assert "没有任何" in refusal(cancelled)


BAD_LINES = {
    "2026-13-01,休": "日期应写作",
    "2026-02-30,休": "日期应写作",
    "２０２６-10-01,休": "日期应写作",
    "10/01/2026,休": "日期应写作",
    "2026111,休": "日期应写作 2026-10-01 或 20261001",
    "202611,休": "日期应写作",
    "2026-1101,休": "日期应写作",
    "2026-10-01,假": "类别应为",
    "2026-10-01,": "类别应为",
    "2026-10-01": "5 列",
    "2026-10-01,休,a,b,c,d": "5 列",
    '2026-10-01,休,"国庆': "5 列",
    f"2026-10-01,休,{'长' * 41}": "名称最多",
    "2026-10-01,休,国\u202e庆": "名称最多",
    "2026-10-01,休,国庆,09:00,12:00": "只有半天",
    "2026-10-01,半,国庆,09:00": "同时填写",
    "2026-10-01,半,国庆,9点,12:00": "时间应写作",
    "2026-10-01,半,国庆,24:00,25:00": "时间应写作",
    "2026-10-01,半,国庆,12:00,09:00": "须依次在后",
    "2027-01-01,休": "2027-01-01 不在 2026 年，也不在上一年 12 月",
    "2025-11-30,休": "2025-11-30 不在 2026 年",
    "2024-12-31,休": "2024-12-31 不在 2026 年",
    "1999-01-01,休": "年份应在",
}


@pytest.mark.parametrize(("line", "told"), BAD_LINES.items())
def test_bad_line_is_named_and_nothing_is_taken(line: str, told: str) -> None:
    message = refusal(f"date,kind,name,opens,closes\n2026-05-01,休\n{line}\n", 2026)
    assert "第 3 行" in message
    assert told in message


def test_day_said_twice_is_refused_whether_or_not_it_says_the_same() -> None:
    message = refusal("date,kind\n2026-10-01,休\n2026-10-01,休\n2026-10-01,班\n")
    assert "第 3 行：2026-10-01 与第 2 行重复\n" in message
    assert "第 4 行：2026-10-01 与第 2 行重复，而且内容不同" in message
    twice = FEED.replace("20261010", "20261002")
    assert "第 2 个日程（国庆节（调休上班））：2026-10-02 与第 1 个日程" in refusal(twice)


def test_every_bad_line_is_named_up_to_fifty() -> None:
    with pytest.raises(DaysRefused) as refused:
        read(("date,kind\n" + "x,休\n" * 60).encode())
    assert len(refused.value.faults) == 60
    assert "第 51 行" in str(refused.value)
    assert "第 52 行" not in str(refused.value)
    assert "另有 10 处" in str(refused.value)


BAD_EVENTS = {
    "with hours": (["DTSTART:20261001T080000Z"], "全天"),
    "repeated": (["DTSTART;VALUE=DATE:20261001", "RRULE:FREQ=YEARLY"], "重复"),
    "ending before it begins": (
        ["DTSTART;VALUE=DATE:20261003", "DTEND;VALUE=DATE:20261001"],
        "结束日期",
    ),
    "of no length": (["DTSTART;VALUE=DATE:20261003", "DTEND;VALUE=DATE:20261003"], "结束日期"),
    "of a thousand years": (
        ["DTSTART;VALUE=DATE:20261001", "DTEND;VALUE=DATE:21001001"],
        "结束日期",
    ),
    "at the end of time": (["DTSTART;VALUE=DATE:99991231"], "年份"),
    "lasting for ever": (["DTSTART;VALUE=DATE:20261003", "DURATION:P99999999W"], "结束日期"),
    "without a beginning": (["DTEND;VALUE=DATE:20261001"], "开始日期"),
    "with a digit missing": (["DTSTART;VALUE=DATE:2026111"], "日期应写作 20261001"),
}


@pytest.mark.parametrize(("lines", "told"), BAD_EVENTS.values(), ids=BAD_EVENTS.keys())
def test_event_that_is_no_run_of_days_is_named(lines: list[str], told: str) -> None:
    message = refusal(event(*lines, "SUMMARY:国庆节（休）"))
    assert "第 1 个日程（国庆节（休））" in message
    assert told in message


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "首行"),
        (b"day,kind\n", "首行"),
        (b"date\n", "首行"),
        (b"date,kind\n", "没有任何"),
        (b"\xff\xfe\x00\x00", "无法读取"),
        (b"date,kind\n\x00", "无法读取"),
        (b"BEGIN:VCALENDAR\nBEGIN:VEVENT\n", "格式有误"),
        (b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\nBEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", "格式有误"),
        (b"a" * (importing.LARGEST + 1), "超过 1 MB"),
    ],
)
def test_what_is_no_list_is_refused(data: bytes, told: str) -> None:
    assert told in refusal(data)


def test_more_days_than_any_list_has_are_refused() -> None:
    first = date(2000, 1, 1).toordinal()
    lines = [f"{date.fromordinal(first + n)},休" for n in range(importing.MOST_DAYS + 1)]
    assert "超过" in refusal("\n".join(["date,kind", *lines]))


@given(
    st.binary(max_size=300) | st.text(max_size=200).map(lambda one: one.encode("utf-8", "replace"))
)
def test_whatever_is_sent_is_read_or_refused(data: bytes) -> None:
    for wrapped in (data, b"date,kind,name\n" + data, b"BEGIN:VCALENDAR\nBEGIN:VEVENT\n" + data):
        with suppress(InvalidInput):
            assert read(wrapped).days
