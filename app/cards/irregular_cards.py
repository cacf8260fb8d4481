"""A supervisor's card for irregular handling (违规办理), with the reason. Cards for what is overdue come from the sweep."""

from datetime import datetime
from typing import Final

from msgspec import Struct

from app.auth.actor import StaffActor
from app.auth.posts import held_in
from app.cards.card_lists import InFull, SeenCard, appeal_until
from app.cards.models import Card, CardCause, CardLevel
from app.cases import access, history
from app.cases.dossier import Dossier
from app.cases.lifecycle import Action, Condition
from app.db import Transaction
from app.db.query import Json, Query
from app.directory.terms import Role, UnitKind
from app.errors import InvalidInput, NotPermitted
from app.identifiers import uuid7
from app.matters import notices
from app.settings import NoticeKind

_SUPERVISING_UNITS: Final = frozenset({UnitKind.COMMAND_CENTER, UnitKind.DISCIPLINE})


class _Person(Struct, frozen=True):
    id: int
    name: str
    title: str


class _CardedUnit(Struct, frozen=True):
    id: int
    name: str
    took_part: bool
    own: bool
    people: Json[list[_Person]] | None


# Whether the unit has or had a part in the case, and those in it who are meant: by name, as the record tells it, or by
# account. Of a person's posts there the latest counts; whoever has left the unit meanwhile can still be named.
_UNIT: Final = Query(
    _CardedUnit,
    f"""
SELECT u.id, u.name,
  EXISTS (SELECT FROM matter_party p WHERE p.matter_id = :matter_id AND p.unit_id = u.id)
    OR EXISTS (SELECT FROM clock k WHERE k.matter_id = :matter_id AND k.unit_id = u.id) AS took_part,
  {held_in("u.id")} AS own,
  (SELECT json_agg(found) FROM (
    SELECT DISTINCT ON (s.id) s.id, s.name, o.title
    FROM post o JOIN staff s ON s.id = o.staff_id
    WHERE o.unit_id = u.id AND (s.account = :person OR s.name = :person)
    ORDER BY s.id, o.valid_to DESC NULLS FIRST, o.valid_from DESC
  ) found) AS people
FROM unit u WHERE u.code = :code AND u.county_id = :county_id
""",  # noqa: S608 - our own text
)


async def issue(
    tx: Transaction,
    ref: str,
    *,
    by: StaffActor,
    level: CardLevel,
    unit_code: str,
    person: str | None,
    reason: str,
    now: datetime,
) -> tuple[Dossier, InFull]:
    """A card to a unit that has or had a part in the case, and where named to a person of it (name or account)."""
    require_supervisor(by)
    dossier = await access.lock_case(tx, ref, by=by)
    case = dossier.case
    unit = await _UNIT.one_or_none(
        tx,
        code=unit_code,
        county_id=case.county_id,
        matter_id=case.id,
        person=person,
        staff_id=by.staff_id,
    )
    if unit is None or not unit.took_part:
        raise InvalidInput(
            mistakes=[{"where": "body.unit_code", "what": "该单位没有参与办理这件事"}]
        )
    who = None if person is None else _meant(unit.people or [])
    to_himself = unit.own or (who is not None and who.id == by.staff_id)
    named = {Condition.UNIT_TO_CARD: True, Condition.CARD_FOR_ANOTHER: not to_himself}
    access.take(dossier, Action.CARD, by=by, now=now, named=named)
    card = Card(
        id=uuid7(now),
        matter_id=case.id,
        county_id=case.county_id,
        level=level,
        cause=CardCause.IRREGULAR,
        stage=case.stage if unit.id == case.holder_unit_id else None,
        unit_id=unit.id,
        unit_name=unit.name,
        staff_id=who and who.id,
        person_name=who and who.name,
        post_title=who and who.title,
        effective_at=now,
        issued_at=now,
        issued_by_staff_id=by.staff_id,
        reason=reason,
    )
    tx.add(card)
    history.record(
        tx,
        dossier,
        Action.CARD,
        by=by,
        now=now,
        public=False,
        texts={"reason": reason},
        card=card.id,
        level=level,
        cause=card.cause,
        to=unit.id,
        person=card.staff_id,
    )
    if not case.sealed:
        carded = card.staff_id or notices.NOBODY
        notices.owe(tx, [(unit.id, NoticeKind.TIME, carded)], now=now)
    return dossier, InFull(
        seen=SeenCard(card, None, case.ref, case.title, unit_code, of_own_unit=False),
        appeal_until=appeal_until(card, dossier.timing.calendar, sealed=case.sealed),
        conflict=False,
        issued_by=by.name,
    )


def is_supervisor(by: StaffActor) -> bool:
    return by.role is Role.SUPERVISOR and by.unit_kind in _SUPERVISING_UNITS


def require_supervisor(by: StaffActor) -> None:
    """Raises NotPermitted for all but the command center's and the discipline commission's supervisors."""
    if not is_supervisor(by):
        raise NotPermitted("只有县指挥中心和纪检监察机关的督查员可以发牌和裁定申诉。")


def _meant(people: list[_Person]) -> _Person:
    if len(people) == 1:
        return people[0]
    what = "本单位有同名的人，请填写账号" if people else "该单位没有这个人"
    raise InvalidInput(mistakes=[{"where": "body.person", "what": what}])
