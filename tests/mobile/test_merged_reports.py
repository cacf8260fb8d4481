"""并案: a reporter whose case was joined to another sees how it goes on there and how it ends, and nothing about the other's reporter."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from app.api.app import create_app
from tests import people
from tests.api.test_statements import counted
from tests.mobile.conftest import NOWHERE, NewPhone, Phone
from tests.people import Person

_SECRET = "我是3栋502的赵秘密"


@asynccontextmanager
async def staff() -> AsyncIterator[tuple[Person, Person, Person]]:
    """The clerk of 广顺街道, the dispatcher, and the clerk of 荣隆镇."""
    api = create_app()
    async with (
        people.signed_in(api, "guangshun") as clerk,
        people.signed_in(api, "zhihui") as center,
        people.signed_in(api, "ronglong") as lead,
    ):
        yield clerk, center, lead


async def to_the_center(cadre: Phone, clerk: Person, ref: str) -> None:
    up = await cadre.post(f"/cadre/cases/{ref}/escalate", finding="社区无法解决")
    assert up.status_code == 200, up.text
    await clerk.does(f"/cases/{ref}/escalate", finding="街道无法解决")


async def joined(cadre: Phone, first: Phone, second: Phone, third: Phone) -> list[dict[str, Any]]:
    """The receipts of three cases: the second was joined to the first when the third had been joined to it; then all is done."""
    told = [await first.reports(body=f"{_SECRET}，三天没有自来水。"), await second.reports(), await third.reports()]  # fmt: skip
    primary, between, last = (one["ref"] for one in told)
    async with staff() as (clerk, center, lead):
        for ref in (primary, between, last):
            await to_the_center(cadre, clerk, ref)
        await center.does(f"/cases/{last}/merge", primary_ref=between, reason="同一件事")
        await center.does(f"/cases/{between}/merge", primary_ref=primary, reason="同一件事")
        await center.does(f"/cases/{primary}/dispatch", lead={"unit_code": "500153100"})
        await lead.does(f"/cases/{primary}/sign")
        await lead.does(f"/cases/{primary}/progress", report="已找到漏点", tell_reporter=True)
        await lead.does(f"/cases/{primary}/progress", report="不告诉群众", tell_reporter=False)
        pressed = await first.post(f"/reports/{primary}/press", note=f"{_SECRET}，快一点")
        assert pressed.status_code == 200, pressed.text
        await lead.does(f"/cases/{primary}/answer", outcome="solved", answer="昨晚恢复供水")
    return told


async def three_phones(new_citizen: NewPhone) -> tuple[Phone, Phone, Phone]:
    return await new_citizen(), await new_citizen(), await new_citizen()


def _shows_the_end(told: dict[str, Any], receipt: dict[str, Any]) -> None:
    assert (told["ref"], told["title"], told["merged"]) == (receipt["ref"], receipt["title"], True)
    assert (told["phase_label"], told["outcome"], told["holder"]) == ("已办结", "已解决", "荣隆镇")
    assert told["answered_at"] is not None
    steps = told["timeline"]
    assert [one["at"] for one in steps] == sorted(one["at"] for one in steps)
    labels = [one["label"] for one in steps]
    assert labels[0].startswith("已登记")
    assert labels[-4:] == ["荣昌区群工系统指挥中心已交荣隆镇主办", "荣隆镇已签收", "荣隆镇通报办理进展", "荣隆镇已办结并答复"]  # fmt: skip
    assert "已与相同事件合并办理" in labels
    said = [one["texts"] for one in steps]
    assert {"report": "已找到漏点"} in said
    assert {"answer": "昨晚恢复供水"} in said


async def test_merged_report_shows_the_answer_of_the_primary(
    cadre: Phone, new_citizen: NewPhone
) -> None:
    phones = await three_phones(new_citizen)
    receipts = await joined(cadre, *phones)
    for phone, receipt in zip(phones[1:], receipts[1:], strict=True):
        answer = await phone.get(f"/reports/{receipt['ref']}")
        _shows_the_end(answer.json(), receipt)
        track = await phone.post(
            "/track", key=None, ref=receipt["ref"], code=receipt["tracking_code"]
        )
        _shows_the_end(track.json(), receipt)
        (item,) = (await phone.get("/reports")).json()["items"]
        assert (item["ref"], item["phase"], item["holder"], item["merged"]) == (receipt["ref"], "answered", "荣隆镇", True)  # fmt: skip
        for shown in (answer, track):
            assert "赵秘密" not in shown.text
            assert "不告诉群众" not in shown.text
            assert receipts[0]["tracking_code"] not in shown.text
            assert "已催办" not in shown.text
    # The reporter of the primary sees nothing of those who joined.
    own = (await phones[0].get(f"/reports/{receipts[0]['ref']}")).json()
    assert (own["merged"], own["phase"]) == (False, "answered")
    assert all(one["ref"] not in str(own) for one in receipts[1:])


async def test_number_of_the_primary_leads_to_the_merged_report(
    cadre: Phone, new_citizen: NewPhone, new_phone: NewPhone
) -> None:
    phones = await three_phones(new_citizen)
    receipts = await joined(cadre, *phones)
    primary, stranger = receipts[0]["ref"], await new_phone()
    for phone, receipt in zip(phones[1:], receipts[1:], strict=True):
        _shows_the_end((await phone.get(f"/reports/{primary}")).json(), receipt)
        track = await stranger.post("/track", key=None, ref=primary, code=receipt["tracking_code"])
        _shows_the_end(track.json(), receipt)
    # The other way round nothing opens, nor for somebody else.
    for ref, code in ((receipts[1]["ref"], receipts[0]["tracking_code"]), (primary, "ZZZZ2222")):
        wrong = await stranger.post("/track", key=None, ref=ref, code=code)
        absent = await stranger.post("/track", key=None, ref=NOWHERE, code=code)
        assert (wrong.status_code, wrong.content) == (404, absent.content)
    other = await new_citizen()
    for ref in (primary, receipts[1]["ref"]):
        assert (await other.get(f"/reports/{ref}")).status_code == 404
    assert (await phones[0].get(f"/reports/{receipts[1]['ref']}")).status_code == 404


async def test_merged_report_has_the_papers_of_the_primary_under_its_own_title(
    cadre: Phone, new_citizen: NewPhone
) -> None:
    phones = await three_phones(new_citizen)
    receipts = await joined(cadre, *phones)
    own, others = phones[2], receipts[2]
    papers = (await own.get(f"/reports/{others['ref']}")).json()["papers"]
    assert [one["label"] for one in papers] == ["受理回执", "处理意见书"]
    page = (await own.get(f"/reports/{others['ref']}/papers/{papers[1]['id']}")).text
    assert "昨晚恢复供水" in page
    assert others["ref"] in page
    assert "赵秘密" not in page
    assert receipts[0]["ref"] not in page
    # The primary's receipt quotes what its reporter said; the letter to the lead is between units.
    first = (await phones[0].get(f"/reports/{receipts[0]['ref']}")).json()["papers"]
    refused = await own.get(f"/reports/{others['ref']}/papers/{first[0]['id']}")
    assert refused.status_code == 404


async def test_merged_report_costs_few_statements(cadre: Phone, new_citizen: NewPhone) -> None:
    phones = await three_phones(new_citizen)
    receipts = await joined(cadre, *phones)
    last = receipts[2]
    for most, path in (
        (4, f"/reports/{last['ref']}"),
        (4, f"/reports/{receipts[0]['ref']}"),
        (3, "/reports"),
    ):
        with counted() as sent:
            assert (await phones[2].get(path)).status_code == 200
        assert len(sent) <= most, sent
    with counted() as sent:
        await phones[2].post("/track", key=None, ref=last["ref"], code=last["tracking_code"])
    assert len(sent) <= 2, sent
