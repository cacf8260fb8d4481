"""A page that shows one post does nothing in another: the login may have been switched in a second tab."""

from collections.abc import Mapping

import httpx
import pytest

from tests.api.conftest import Who
from tests.people import WATER, Person


async def two_posts(person: Person) -> tuple[int, int]:
    """The one acted in, and the other."""
    told = await person.sees("/sessions/me")
    return told["post"]["id"], next(
        one["id"] for one in told["posts"] if one["id"] != told["post"]["id"]
    )


def showing(post: int | str) -> Mapping[str, str]:
    return {"Acting-Post": str(post)}


def is_other_post(answer: httpx.Response) -> bool:
    return answer.status_code == 403 and answer.json()["type"] == "/problems/other-post"


async def test_page_of_another_post_registers_nothing(who: Who) -> None:
    person = await who("jianzhi")
    acting, other = await two_posts(person)
    before = await person.lists("registered")
    refused = await person.client.post("/cases", json=WATER, headers=showing(other))
    assert is_other_post(refused)
    assert await person.lists("registered") == before
    done = await person.client.post("/cases", json=WATER, headers=showing(acting))
    assert done.status_code == 201, done.text


async def test_page_of_another_post_is_shown_no_list(who: Who) -> None:
    person = await who("jianzhi")
    acting, other = await two_posts(person)
    assert is_other_post(await person.client.get("/cases", headers=showing(other)))
    assert (await person.client.get("/cases", headers=showing(acting))).status_code == 200


@pytest.mark.parametrize("shown", ["", "x", "-1", "1" * 11])
async def test_post_that_is_no_number_is_invalid(who: Who, shown: str) -> None:
    person = await who("gongnong")
    assert (await person.client.get("/cases", headers=showing(shown))).status_code == 422


async def test_answer_kept_under_a_key_is_not_given_to_the_page_of_another_post(who: Who) -> None:
    person = await who("gongnong")
    acting = (await person.sees("/sessions/me"))["post"]["id"]
    key = {"Idempotency-Key": "acting-post-of-gongnong"}
    done = await person.client.post("/cases", json=WATER, headers={**key, **showing(acting)})
    assert done.status_code == 201
    again = await person.client.post("/cases", json=WATER, headers={**key, **showing(acting + 1)})
    assert is_other_post(again)
