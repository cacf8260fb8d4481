"""Which cases are alike by their words: what is found, what is not, and which words are shown for it."""

import pytest

from app.cases.shared_words import most_alike, pairs_of

CASES = {
    "water": "13至17栋没有饮用水 我们小区13栋到17栋已经三天没有自来水，老人小孩都要到外面提水。",
    "lamp": "路灯不亮 村口到小学的路灯坏了半个月，晚上学生放学看不见路。",
    "dogs": "流浪狗 小区里流浪狗很多，老人小孩不敢出门。",
    "noise": "工地夜间施工 隔壁工地晚上十二点还在打桩，吵得睡不着。",
}


KNOWN = {key: pairs_of(told) for key, told in CASES.items()}


def keys(typed: str, most: int = 5) -> list[str]:
    return [one.key for one in most_alike(typed, KNOWN, most=most)]


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("17栋又没有自来水了", "water"),
        ("17棟又沒有自來水了", "water"),
        ("学校门口路灯坏了，晚上看不见", "lamp"),
        ("工地打桩吵得人睡不着觉", "noise"),
        ("自来水", "water"),
    ],
)
def test_alike_case_is_found_first(typed: str, first: str) -> None:
    assert keys(typed)[:1] == [first]


@pytest.mark.parametrize(
    "typed", ["医保卡刷不了", "水", "", "！！！", "低保什么时候发", "我想反映一个问题"]
)
def test_unlike_case_is_not_found(typed: str) -> None:
    assert keys(typed) == []


def test_shared_words_are_stretches_of_what_was_typed_in_simplified_letters() -> None:
    [water] = most_alike("17棟又沒有自來水了", KNOWN, most=1)
    assert water.words == ("没有自来水", "17栋")


def test_alike_cases_are_bounded() -> None:
    many = dict.fromkeys(range(20), pairs_of("13至17栋没有饮用水"))
    assert len(most_alike("17栋没有饮用水", many, most=5)) == 5


def test_word_that_every_case_has_does_not_make_alike() -> None:
    village = {
        number: f"工农茶叶产业社区{what}"
        for number, what in enumerate(["路灯坏", "下水道堵", "树倒了", "井盖丢失"] * 5)
    }
    found = most_alike(
        "工农茶叶产业社区井盖不见了",
        {key: pairs_of(told) for key, told in village.items()},
        most=20,
    )
    assert {village[one.key] for one in found[:5]} == {"工农茶叶产业社区井盖丢失"}
