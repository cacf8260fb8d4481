"""Cards that rest on a calendar which has been changed since: listed for somebody to look at, never changed."""

from datetime import UTC, datetime

from tests.api.conftest import Who
from tests.api.test_cards import ids
from tests.cards import overdue


async def test_cards_that_rest_on_day_changed_since_are_listed_for_review_and_stay(
    who: Who,
) -> None:
    cadre, admin, inspector = await who("gongnong"), await who("admin"), await who("ducha")
    _, touched, _ = await overdue(cadre, datetime(2021, 3, 8, 3, tzinfo=UTC))
    _, other, _ = await overdue(cadre, datetime(2021, 6, 7, 3, tzinfo=UTC))
    before = await ids(inspector, whose="review")
    await admin.does(
        "/calendar/days",
        days=[{"day": "2021-03-09", "kind": "off", "name": "暴雨停工"}],
        reason="县防汛指挥部通知",
    )
    review = await ids(inspector, whose="review")
    assert touched in review - before
    assert other not in review
    assert (await inspector.sees(f"/cards/{touched}"))["revoked_at"] is None
    assert (await cadre.get("/cards", whose="review")).status_code == 403


async def test_what_a_year_said_when_it_was_published_is_no_change_to_review(who: Who) -> None:
    """The sample county's years were published after the cards of an invented one took effect."""
    cadre, inspector = await who("gongnong"), await who("ducha")
    # Two working days over the Spring Festival of 2022.
    _, card, _ = await overdue(cadre, datetime(2022, 1, 29, 3, tzinfo=UTC))
    assert card in await ids(cadre)
    assert card not in await ids(inspector, whose="review")


async def test_cards_that_rest_on_office_hours_changed_since_are_listed_for_review_too(
    who: Who,
) -> None:
    """By the hours it had, what was told at half past five was told that day; by the new ones, on the next."""
    cadre, admin, inspector = await who("gongnong"), await who("admin"), await who("ducha")
    _, touched, _ = await overdue(cadre, datetime(2021, 9, 6, 9, 30, tzinfo=UTC))
    _, other, _ = await overdue(cadre, datetime(2021, 9, 6, 3, tzinfo=UTC))
    hours = {"opens": "09:00", "noon_from": "12:00", "noon_to": "14:00", "closes": "18:00"}
    await admin.does("/calendar/hours", **{**hours, "closes": "17:00"}, reason="冬季作息")
    try:
        review = await ids(inspector, whose="review")
    finally:
        await admin.does("/calendar/hours", **hours, reason="恢复夏季作息")
    assert touched in review
    assert other not in review
