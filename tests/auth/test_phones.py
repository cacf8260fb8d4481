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
    ],
)
def test_however_it_is_written_it_is_one_number(written: str) -> None:
    assert mobile(written) == "+8613800138000"


@pytest.mark.parametrize("number", ["19912345678", "17012345678", "16612345678", "14712345678"])
def test_newer_ranges_are_mobile_numbers(number: str) -> None:
    assert mobile(number) == f"+86{number}"


@pytest.mark.parametrize(
    "written", ["023-46773333", "02346773333", "010 6505 1234", "+862346773333"]
)
def test_a_landline_is_refused_as_a_landline(written: str) -> None:
    with pytest.raises(PhoneRefused, match=LANDLINE):
        mobile(written)


@pytest.mark.parametrize(
    "written", ["+852 9123 4567", "+853 6612 3456", "+886 912 345 678", "+1 650 253 0000"]
)
def test_a_number_abroad_is_refused_as_such(written: str) -> None:
    with pytest.raises(PhoneRefused, match=re.escape(ABROAD)):
        mobile(written)


@pytest.mark.parametrize(
    "written",
    ["", " ", "1380013800", "138001380001", "12345", "110", "1380013ABCD", "13800138000 ext 5", "13800138000;ext=5",
     "tel:13800138000", "手机", "1" * 60, "+", "+86", "\x0013800138000"],
)  # fmt: skip
def test_what_is_no_number_is_refused(written: str) -> None:
    with pytest.raises(PhoneRefused, match=NOT_A_NUMBER):
        mobile(written)


def test_the_key_does_not_show_the_number() -> None:
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
def test_a_person_may_be_reached_at_a_landline_where_no_text_arrives(
    written: str, number: str, texts: bool
) -> None:
    assert contact(written) == number
    assert textable(number) is texts


@pytest.mark.parametrize("written", ["400-810-5678", "800-810-5678", "110", "", "1380013800"])
def test_what_is_no_persons_number_is_refused(written: str) -> None:
    with pytest.raises(PhoneRefused, match=NOT_A_NUMBER):
        contact(written)
