"""How often the category is right on messages that were not learned from, and that what is shipped was learned from them."""

import random

import pytest

from app.cases.category_words import CategoryWords
from app.cases.suggested_categories import SHIPPED, read_words
from tests.rules.category_words import MESSAGES, labelled, learned, names_by_category, written

_PARTS = 10
_with_messages = pytest.mark.skipif(
    not MESSAGES.exists(), reason=f"the messages are not at {MESSAGES}"
)


@_with_messages
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_category_is_first_for_two_of_three_and_among_three_for_nine_of_ten(seed: int) -> None:
    messages, names = labelled(), names_by_category()
    random.Random(seed).shuffle(messages)  # noqa: S311 - reproducible, not secret
    first = among_three = 0
    for part in range(_PARTS):
        apart = messages[part::_PARTS]
        ranking = learned([one for one in messages if one not in apart]).prepared(names)
        for one in apart:
            ranked = [name for name, _ in ranking.rank(one["title"], one["text"])]
            first += ranked[0] == one["category"]
            among_three += one["category"] in ranked[:3]
    assert len(messages) == 184
    assert first / len(messages) >= 0.68
    assert among_three / len(messages) >= 0.90


@_with_messages
def test_shipped_words_were_learned_from_the_messages() -> None:
    assert SHIPPED.read_text(encoding="utf-8") == written(learned(labelled()))


def test_pairs_of_one_report_alone_are_not_shipped() -> None:
    known: dict[str, int] = {}
    for counts in read_words().pairs.values():
        for pair, times in counts.items():
            known[pair] = known.get(pair, 0) + times
    assert min(known.values()) >= 2


def test_names_of_categories_speak_where_nothing_was_learned() -> None:
    names = {"交通运输": ["公路养护", "公交线路"], "环境保护": ["噪声污染", "水污染"]}
    ranked = CategoryWords().prepared(names).rank("工地夜间噪声", "噪声污染严重")
    assert ranked[0][0] == "环境保护"
    assert "噪声" in ranked[0][1]


def test_learned_words_outweigh_the_names() -> None:
    names = {"交通运输": ["公路养护"], "环境保护": ["噪声污染"]}
    words = CategoryWords()
    for _ in range(20):
        words.learn("交通运输", "货车夜里按喇叭", "货车经过时喇叭声音很大")
    assert words.prepared(names).rank("货车喇叭", "货车喇叭")[0][0] == "交通运输"
