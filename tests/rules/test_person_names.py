"""Names of people compared: one person under several spellings is one, and two people stay two."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.chinese_text import name_to_compare

SPELLINGS = [
    (
        "买买提·吐尔逊",
        "买买提•吐尔逊",
        "买买提．吐尔逊",
        "买买提‧吐尔逊",
        "买买提・吐尔逊",
        "買買提 吐爾遜",
    ),
    ("张三", "張三", "张三（男）", "张三(男)", " 张 三 ", "张\u200b三", "张三【13栋】", "张三．"),
    ("Wang Wei", "WANG WEI", "ｗａｎｇ　ｗｅｉ", "wang-wei"),
    ("𠮷野", "𠮷 野"),
]
DIFFERENT = ["张三", "张四", "张三三", "张先生", "张女士", "𠮷野", "吉野", "Wang Wei", "Wei Wang", "王伟", "？？", "…", "（男）", "（女）"]  # fmt: skip
_DOTS = st.sampled_from(["·", "•", "．", "‧", "・", " ", "\u3000", "\u200b"])
_LETTERS = st.text(
    st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5), min_size=1, max_size=4
)


@pytest.mark.parametrize("spellings", SPELLINGS, ids=lambda one: one[0])
def test_name_has_one_form_in_all_its_spellings(spellings: tuple[str, ...]) -> None:
    assert len({name_to_compare(one) for one in spellings}) == 1


def test_names_of_different_people_stay_different() -> None:
    forms = [name_to_compare(one) for one in DIFFERENT]
    assert all(forms)
    assert len(set(forms)) == len(DIFFERENT)


@given(_LETTERS, _LETTERS, _DOTS, _DOTS, st.sampled_from(["", "（男）", "[代]", "(13栋)"]))
def test_name_is_the_same_with_any_dot_and_any_bracket(
    first: str, second: str, one: str, other: str, bracket: str
) -> None:
    plain = name_to_compare(f"{first}{one}{second}")
    assert plain == name_to_compare(f"{first}{other}{second}{bracket}")
    assert plain == name_to_compare(plain)


@given(_LETTERS, _LETTERS)
def test_names_of_different_letters_differ(one: str, other: str) -> None:
    same = name_to_compare(one) == name_to_compare(other)
    assert same == ([*map(name_to_compare, one)] == [*map(name_to_compare, other)])


@given(st.text(st.characters(categories=["Lu", "Ll", "Lo", "Nd", "Po", "Zs"]), max_size=40))
def test_form_of_a_name_is_its_own_form(name: str) -> None:
    form = name_to_compare(name)
    assert name_to_compare(form) == form
