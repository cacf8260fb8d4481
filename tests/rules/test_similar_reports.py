"""Which reports tell the same."""

import pytest

from app.cases.similar_reports import is_similar

WATER = "我们小区13栋到17栋已经三天没有自来水，老人小孩都要到外面提水。请尽快解决！"


@pytest.mark.parametrize(
    ("title", "body"),
    [
        ("停水", WATER),
        ("停水", "我們小區１３棟到１７棟已經三天沒有自來水，老人小孩都要到外面提水，請盡快解決"),
        ("停水", WATER.replace("三天", "四天")),
        ("没有水", WATER.replace("，", " ")),
        ("停水", "我们小区13栋到17栋已经三天没有自来水，老人小孩都要到外面提水。"),
    ],
)
def test_report_is_similar_however_it_is_written(title: str, body: str) -> None:
    assert is_similar("停水", WATER, title, body)
    assert is_similar(title, body, "停水", WATER)


@pytest.mark.parametrize(
    ("title", "body"),
    [
        ("路灯不亮", "村口的路灯三天不亮了，老人晚上看不见路。"),
        ("停水", "5栋水管漏水，地下室都淹了，请派人来修。"),
        ("停水", "水"),
    ],
)
def test_report_is_not_similar_when_it_tells_something_else(title: str, body: str) -> None:
    assert not is_similar("停水", WATER, title, body)


def test_report_whose_words_were_erased_is_similar_by_its_title() -> None:
    assert is_similar("停水", WATER, "停水 ", "")
    assert not is_similar("停水", WATER, "路灯", "")
