"""The administrator publishes a unit's number and person on its poster's page; each change is on record."""

import pytest

from tests.api.conftest import Who
from tests.villages import merged_villages


async def test_each_change_of_a_poster_contact_is_on_record(who: Who) -> None:
    [_, code] = await merged_villages(1)
    admin, path = await who("admin"), f"/units/{code}/poster-contact"
    await admin.does(path, public_phone="13983001234", contact_name="李琴")
    await admin.does(path, public_phone="110")
    seen = await (await who("ducha")).sees(path)
    assert (seen["public_phone"], seen["contact_name"]) == ("110", None)
    assert [
        (one["public_phone"], one["contact_name"], one["decided_by"]) for one in seen["changes"]
    ] == [("110", None, "谢文静"), ("+8613983001234", "李琴", "谢文静")]
    again = await admin.post(path, {"public_phone": "110"})
    assert (again.status_code, "没有可改的" in again.json()["detail"]) == (422, True)


async def test_poster_contact_is_published_by_administrators_alone(who: Who) -> None:
    [ended, code] = await merged_villages(1)
    for account in ("gongnong", "guangshun_head", "zhihui", "ducha", "lingdao"):
        refused = await (await who(account)).post(
            f"/units/{code}/poster-contact", {"public_phone": "110"}
        )
        assert refused.status_code == 403, account
    assert (await (await who("gongnong")).get(f"/units/{code}/poster-contact")).status_code == 403
    admin = await who("admin")
    for other in (ended, "510704001", "999999"):
        refused = await admin.post(f"/units/{other}/poster-contact", {"public_phone": "110"})
        assert refused.status_code == 404, other


@pytest.mark.parametrize("number", ["12", "123456789", "+85212345678", "abc", "00000", ""])
async def test_poster_contact_with_a_wrong_number_is_refused(who: Who, number: str) -> None:
    [_, code] = await merged_villages(1)
    refused = await (await who("admin")).post(
        f"/units/{code}/poster-contact", {"public_phone": number}
    )
    assert (refused.status_code, refused.json()["mistakes"][0]["where"]) == (
        422,
        "body.public_phone",
    )
