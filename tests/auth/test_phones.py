"""Phone numbers as people write them."""

import re

import pytest

from app.auth.phones import (
    ABROAD,
    LANDLINE,
    NOT_A_NUMBER,
    PhoneRefused,
    contact,
    mobile,
    phone_key,
    textable,
)


@pytest.mark.parametrize(
    "written",
    [
        "13800138000",
        "+8613800138000",
        "+86 138 0013 8000",
        "0086 13800138000",
        "8613800138000",
        "138-0013-8000",
        "138—0013—8000",
        "１３８００１３８０００",
        "＋８６１３８００１３８０００",
        " 13800138000 ",
        "\u202d138 0013 8000\u202c",
        "138\xa00013\xa08000",
        "\u200b13800138000，",
        "\x0013800138000",
        "（138）00138000",
    ],
)
def test_however_it_is_written_it_is_one_number(written: str) -> None:
    assert mobile(written) == "+8613800138000"


@pytest.mark.parametrize(
    "prefix", ["149", "174", "170", "199", "166", "147", "140", "154", "161", "179", "194"]
)
def test_every_prefix_is_a_mobile_number(prefix: str) -> None:
    """A list of those given out would be old by the next year; delivery tells."""
    assert mobile(f"{prefix} 1234 5678") == contact(f"{prefix}12345678") == f"+86{prefix}12345678"
    assert textable(f"+86{prefix}12345678")


@pytest.mark.parametrize(
    "written", ["023-46773333", "02346773333", "010 6505 1234", "+862346773333"]
)
def test_landline_is_refused_as_a_landline(written: str) -> None:
    with pytest.raises(PhoneRefused, match=LANDLINE):
        mobile(written)


@pytest.mark.parametrize(
    "written", ["+852 9123 4567", "+853 6612 3456", "+886 912 345 678", "+1 650 253 0000"]
)
def test_number_abroad_is_refused_as_such(written: str) -> None:
    with pytest.raises(PhoneRefused, match=re.escape(ABROAD)):
        mobile(written)


@pytest.mark.parametrize(
    "written",
    ["", " ", "1380013800", "138001380001", "12345", "110", "1380013ABCD", "13800138000 ext 5", "13800138000;ext=5",
     "tel:13800138000", "手机", "1" * 60, "+", "+86", "12800138000"],
)  # fmt: skip
def test_what_is_no_number_is_refused(written: str) -> None:
    with pytest.raises(PhoneRefused, match=NOT_A_NUMBER):
        mobile(written)


def test_key_does_not_show_the_number() -> None:
    assert len(phone_key("+8613800138000")) == 32
    assert phone_key("+8613800138000") != phone_key("+8613800138001")


@pytest.mark.parametrize(
    ("written", "number", "texts"),
    [
        ("138 0013 8000", "+8613800138000", True),
        ("19912345678", "+8619912345678", True),
        ("023-46773333", "+862346773333", False),
        ("010 6505 1234", "+861065051234", False),
        ("+86 755 8888 8888", "+8675588888888", False),
    ],
)
def test_person_may_be_reached_at_a_landline_where_no_text_arrives(
    written: str, number: str, texts: bool
) -> None:
    assert contact(written) == number
    assert textable(number) is texts


@pytest.mark.parametrize("written", ["400-810-5678", "800-810-5678", "110", "", "1380013800"])
def test_what_is_no_persons_number_is_refused(written: str) -> None:
    with pytest.raises(PhoneRefused, match=NOT_A_NUMBER):
        contact(written)
