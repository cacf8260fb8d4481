"""Finding cases: by words however they are spelt, by number, by the reporter's telephone; only what the asker may see."""

from secrets import choice, randbelow, token_hex
from typing import Any

import pytest
from sqlalchemy import text

from app.cases import search as searching
from app.cases.actions import erasing
from app.cases.search import Asked
from app.cases.searched_words import letters_of, letters_of_word
from app.cases.similar_reports import fold
from app.clock import SHANGHAI
from app.db import reading, transaction
from app.http.search import FoundCases
from tests.api.conftest import Who
from tests.api.test_statements import costs, counted
from tests.people import Person

_LETTERS = "春夏秋冬东南西北山川湖海松竹梅兰桃李杏荷云雨风雪霜露星辰金银铜铁琴棋书画"


def a_name(letters: int = 6) -> str:
    """A place that no other test writes of."""
    return "".join(choice(_LETTERS) for _ in range(letters))


def a_phone() -> str:
    return f"137{randbelow(10**8):08d}"


async def found(person: Person, words: str, **more: Any) -> list[dict[str, Any]]:
    told = await person.does("/cases/search", words=words, **more)
    # The answer is made by the database and not by the schema that describes it.
    FoundCases.model_validate(told)
    return list(told["items"])


async def refs(person: Person, words: str, **more: Any) -> list[str]:
    return [one["ref"] for one in await found(person, words, **more)]


@pytest.mark.parametrize(
    ("written", "typed"),
    [
        ("{place}的自來水管爆裂", "{place} 自来水管"),
        ("{place}的自来水管爆裂", "{place} 自來水管"),
        ("{place}ＬＥＤ路灯不亮", "{place} led路灯"),
        ("{place}路灯，坏了！", "{place}路灯坏了"),
        ("{place}第 13 栋停水", "{place} 13栋"),
        ("{place}里㎡的地", "{place} m2"),
        ("{place}的e\u0301太吵", "{place} \u00e9"),
        ("{place}的STRASSE", "{place} stra\u00dfe"),
    ],
)
async def test_words_are_found_however_they_are_spelt(who: Who, written: str, typed: str) -> None:
    cadre, place = await who("gongnong"), a_name()
    ref = await cadre.registers(title="一件事", body=written.format(place=place))
    assert await refs(cadre, typed.format(place=place)) == [ref]


async def test_all_words_must_be_there(who: Who) -> None:
    cadre, place = await who("gongnong"), a_name()
    ref = await cadre.registers(title=f"{place}没有水", place="三社老井边")
    assert await refs(cadre, f"{place} 老井") == [ref]
    assert await refs(cadre, f"{place} 老树") == []


async def test_single_letter_is_found_as_a_word(who: Who) -> None:
    cadre, place = await who("gongnong"), a_name()
    ref = await cadre.registers(title=f"{place}有蜢")
    assert await refs(cadre, f"{place} 蜢") == [ref]
    assert ref in await refs(cadre, "蜢")


async def test_letters_in_another_order_are_no_word(who: Who) -> None:
    cadre, place = await who("gongnong"), a_name()
    await cadre.registers(title="一件事", body=f"{place} 甲乙丙 丙丁甲")
    assert set(letters_of_word("乙丙丁")) <= set(letters_of(f"{place} 甲乙丙 丙丁甲"))
    assert await refs(cadre, f"{place} 乙丙丁") == []


async def test_found_words_are_marked_as_they_were_written(who: Who) -> None:
    cadre, place = await who("gongnong"), a_name()
    told = f"从上个月开始就一直这样，反映过好几次都没有人来看。{place}的ＬＥＤ路灯全部不亮。"
    await cadre.registers(title="路灯", body=told)
    [one] = await found(cadre, f"{place} led")
    assert set(one["marked"]) == {place, "ＬＥＤ"}
    assert place in one["excerpt"]
    assert one["excerpt"].startswith("…")


async def test_newest_come_first_over_all_pages(who: Who) -> None:
    cadre, place = await who("gongnong"), a_name()
    made = [await cadre.registers(title=f"{place}第{number}件") for number in range(5)]
    pages, cursor = [], None
    while True:
        told = await cadre.does(
            "/cases/search", words=place, size=2, **({"cursor": cursor} if cursor else {})
        )
        pages.append([one["ref"] for one in told["items"]])
        cursor = told["next"]
        if cursor is None:
            break
    assert [len(one) for one in pages] == [2, 2, 1]
    assert [ref for page in pages for ref in page] == made[::-1]


async def test_rare_words_are_found_beyond_the_newest_cases(
    who: Who, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The index finds what the scan of the newest does not reach; without it the case would be lost."""
    cadre, center, place = await who("gongnong"), await who("zhihui"), a_name()
    ref = await cadre.registers(title=f"{place}没有水")
    for _ in range(3):
        await cadre.registers()
    monkeypatch.setattr(searching, "NEWEST_READ", 2)
    assert await refs(cadre, place) == [ref]
    assert await refs(center, place) == [ref]


async def test_nothing_is_lost_between_the_scan_and_the_index(
    who: Who, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Frequent words of which filters drop the newest: the older ones come from the index, each once."""
    cadre, place = await who("gongnong"), a_name()
    wanted = [await cadre.registers(title=f"{place}第{n}件", kind="complaint") for n in range(3)]
    for number in range(4):
        await cadre.registers(title=f"{place}求助第{number}件")
    for newest, looked in ((100, 2), (100, 5), (3, 2), (5, 100)):
        monkeypatch.setattr(searching, "NEWEST_READ", newest)
        monkeypatch.setattr(searching, "LOOKED_AT", looked)
        assert await refs(cadre, place, kind="complaint") == wanted[::-1], (newest, looked)
        assert len(await refs(cadre, place)) == 7


async def test_filters_narrow_what_is_found(who: Who) -> None:
    cadre, center, place = await who("gongnong"), await who("zhihui"), a_name()
    here = await cadre.registers(title=f"{place}没有水")
    other = await (await who("ronglong")).registers(title=f"{place}没有水", kind="complaint")
    assert set(await refs(center, place)) == {here, other}
    assert await refs(center, place, township="500153003") == [here]
    assert await refs(center, place, holder="500153100") == [other]
    assert await refs(center, place, kind="complaint") == [other]
    assert await refs(center, place, finished=True) == []
    assert set(await refs(center, place, finished=False)) == {here, other}
    async with reading() as tx:
        today = (await tx.now()).astimezone(SHANGHAI).date()
    assert await refs(center, place, received_to=str(today.replace(year=2025))) == []
    assert set(await refs(center, place, received_from=str(today))) == {here, other}


async def test_filter_that_names_nothing_is_refused(who: Who) -> None:
    center = await who("zhihui")
    refused = await center.post("/cases/search", {"words": "水", "holder": "999999999999"})
    assert refused.status_code == 422


@pytest.mark.parametrize("typed", ["{ref}", "{digits}", "{wide}", " {ref}，"])
async def test_number_of_a_case_finds_it(who: Who, typed: str) -> None:
    cadre = await who("gongnong")
    ref = await cadre.registers()
    wide = ref.translate({ord(str(digit)): chr(0xFF10 + digit) for digit in range(10)})
    asked = typed.format(ref=ref, digits=ref.replace("-", ""), wide=wide)
    assert await refs(cadre, asked) == [ref]


async def test_case_of_another_township_is_not_found(who: Who) -> None:
    other, place = await who("ronglong"), a_name()
    ref = await (await who("gongnong")).registers(title=f"{place}没有水")
    assert await refs(other, place) == []
    assert await refs(other, ref) == []


async def test_sealed_case_is_found_by_nothing_and_its_words_are_kept_nowhere(who: Who) -> None:
    place, phone = a_name(), a_phone()
    typist = await who("ronglong")
    person = {"name": "赵秘密", "phone": phone}
    ref = await typist.registers(
        kind="accusation", title=f"检举{place}", accused_code="500153003007", person=person
    )
    for account in ("ronglong", "gongnong", "zhihui", "lingdao", "ducha", "jiwei"):
        asker = await who(account)
        for words in (place, f"检举{place}", ref, phone):
            assert await refs(asker, words) == [], (account, words)
    async with reading() as tx:
        kept = text(
            "SELECT count(*) FROM searched_words w JOIN grievance g ON g.id = w.matter_id WHERE g.ref = :ref"
        )
        assert await tx.scalar(kept, ref=ref) == 0


async def test_erased_case_is_found_by_none_of_its_words(who: Who) -> None:
    cadre, place = await who("gongnong"), a_name()
    ref = await cadre.registers(title=f"{place}没有水")
    async with transaction() as tx:
        await erasing.erase_texts(tx, ref, reason="依申请删除", now=await tx.now())
    assert await refs(cadre, place) == []
    async with reading() as tx:
        kept = text(
            "SELECT count(*) FROM searched_words w JOIN grievance g ON g.id = w.matter_id WHERE g.ref = :ref"
        )
        assert await tx.scalar(kept, ref=ref) == 0


async def test_telephone_number_finds_its_reporters_cases_for_those_who_may_learn_it(
    who: Who,
) -> None:
    cadre, phone = await who("gongnong"), a_phone()
    person = {"name": "王大爷", "phone": phone}
    openly = await cadre.registers(person=person)
    secretly = await cadre.registers(person=person, confidential=True)
    for ref in (openly, secretly):
        await cadre.does(f"/cases/{ref}/escalate", finding="社区无法解决")
    assert set(await refs(cadre, phone)) == {openly, secretly}
    assert set(await refs(await who("zhihui"), f"+86 {phone}")) == {openly, secretly}
    # The township holds both now, and is not to learn whose the confidential one is.
    assert await refs(await who("guangshun"), phone) == []
    for account in ("lingdao", "ducha", "ronglong"):
        assert await refs(await who(account), phone) == [], account


async def others(person: Person, ref: str) -> set[str]:
    told = await person.sees(f"/cases/{ref}/same-reporter")
    return {one["ref"] for one in told["items"]}


async def test_other_cases_of_the_same_number_are_shown_to_those_who_may_learn_it(who: Who) -> None:
    cadre, phone = await who("gongnong"), a_phone()
    person = {"name": "王大爷", "phone": phone}
    first, secret = [
        await cadre.registers(person=person, confidential=confidential)
        for confidential in (False, True)
    ]
    stranger = await cadre.registers(person={"name": "王大爷", "phone": a_phone()})
    await cadre.registers(person=person, kind="accusation", title="检举")
    assert await others(cadre, first) == {secret}
    assert await others(cadre, secret) == {first}
    assert await others(cadre, stranger) == set()
    for ref in (first, secret):
        await cadre.does(f"/cases/{ref}/escalate", finding="社区无法解决")
    assert await others(await who("zhihui"), first) == {secret}
    for account in ("guangshun", "lingdao", "ducha", "jiwei", "ronglong"):
        assert await others(await who(account), first) == set(), account


async def test_same_reporter_of_a_sealed_or_unknown_case_is_nobody(who: Who) -> None:
    phone = a_phone()
    typist = await who("ronglong")
    person = {"name": "赵秘密", "phone": phone}
    openly = await typist.registers(person=person)
    sealed = await typist.registers(kind="accusation", title="检举", person=person)
    for account in ("ronglong", "zhihui", "ducha", "jiwei"):
        asker = await who(account)
        assert await others(asker, sealed) == set()
        assert await others(asker, "500153-200101-00000000") == set()
        assert sealed not in await others(asker, openly)


async def test_administrator_finds_nothing(who: Who) -> None:
    place = a_name()
    ref = await (await who("gongnong")).registers(title=f"{place}没有水")
    administrator = await who("admin")
    assert await refs(administrator, place) == await refs(administrator, ref) == []


async def test_words_that_are_only_punctuation_are_refused(who: Who) -> None:
    refused = await (await who("gongnong")).post("/cases/search", {"words": "，。！"})
    assert refused.status_code == 422
    assert "请写要找的字" in refused.text


@pytest.mark.parametrize("account", ["gongnong", "zhihui"])
async def test_search_costs_few_statements_and_keeps_nothing(who: Who, account: str) -> None:
    person = await who(account)
    await (await who("gongnong")).registers()
    body = {"words": "自来水 三天"}
    await costs(4, person, "POST", "/cases/search", body)
    with counted() as sent:
        key = token_hex(8)
        assert (await person.post("/cases/search", body, key=key)).is_success
    assert not any("自来水" in one for one in sent)
    async with reading() as tx:
        kept = text("SELECT count(*) FROM given_answer WHERE key = :key")
        assert await tx.scalar(kept, key=key) == 0


def test_word_is_split_and_folded() -> None:
    assert Asked.split(" 自來水　ＬＥＤ 自来水 ，") == ("自来水", "led")


def test_letters_of_a_word_are_among_those_of_a_text_that_contains_it() -> None:
    told = "我们小区13栋到17栋已经三天没有自来水，老人小孩都要到外面提水。"
    plain = fold(told)
    for begin in range(len(plain)):
        for end in range(begin + 1, len(plain) + 1):
            assert set(letters_of_word(plain[begin:end])) <= set(letters_of(told))
