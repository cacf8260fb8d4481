"""改类: corrects the kind, category or urgency under which a case was registered. No limit begins anew (ADR 0026)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NoReturn

from msgspec import Struct
from msgspec.structs import replace

from app.auth.actor import StaffActor
from app.cases import access, history
from app.cases.dossier import Dossier
from app.cases.lifecycle import Action
from app.cases.models import Case
from app.db import Transaction
from app.db.query import Json, Query
from app.errors import InvalidInput
from app.limits.rules import Rule
from app.limits.terms import Kind, Stage


class _CategoryChange(Struct, frozen=True):
    old_path: str | None
    path: str | None
    active: bool
    categories: list[int]


_NAMED: Final = Query(
    _CategoryChange,
    """
SELECT (SELECT path FROM category WHERE id = :old_id) AS old_path, k.path, coalesce(k.active, false) AS active,
  array_remove(ARRAY[k.id, k.parent_id, above.parent_id], NULL) AS categories
FROM (SELECT 1) AS one LEFT JOIN category k ON k.id = :new_id LEFT JOIN category above ON above.id = k.parent_id
""",
)


class _FormerTerms(Struct, frozen=True):
    kind: Kind
    urgent: bool


class _UnitCorrection(Struct, frozen=True):
    old: Json[_FormerTerms]
    categories: list[int]


# What the case was before the unit's own changes; what somebody else has changed since is not its doing.
_BEFORE_ITS_OWN: Final = Query(
    _UnitCorrection,
    """
WITH own AS (
  SELECT CAST(e.body AS json) #> '{data,old}' AS old FROM record_entry e
  WHERE e.matter_id = :matter_id AND e.action = 'recategorise' AND e.unit_id = :unit_id AND NOT EXISTS (
    SELECT FROM record_entry later WHERE later.matter_id = e.matter_id AND later.seq > e.seq
      AND later.action = 'recategorise' AND later.unit_id <> e.unit_id)
  ORDER BY e.seq LIMIT 1
)
SELECT own.old, array_remove(ARRAY[k.id, k.parent_id, above.parent_id], NULL) AS categories
FROM own LEFT JOIN category k ON k.id = CAST(own.old ->> 'category_id' AS int)
LEFT JOIN category above ON above.id = k.parent_id
""",
)
_NO_ACCUSATION: Final = (
    "检举控告从登记起就须保密，不能由其他事项改成。请告知反映人按检举控告另行登记，本件可以撤回。"
)


@dataclass(frozen=True, slots=True)
class Correction:
    """What a case is to be instead; None leaves it as it is."""

    kind: Kind | None = None
    category_id: int | None = None
    urgent: bool | None = None


async def recategorise(
    tx: Transaction,
    ref: str,
    correction: Correction,
    *,
    by: StaffActor,
    reason: str,
    now: datetime,
) -> Dossier:
    """Put right what a case is about: its kind, its category, whether it is urgent.

    What runs counts from where it began. The whole case is never due later; the present stage only where the command
    center decides it, or a holder would gain time by calling things by another name. Less time is never less than a full
    working day from now, unless less was left. Raises InvalidInput for what is no correction.
    """
    dossier = await access.lock_case(tx, ref, by=by)
    access.take(dossier, Action.RECATEGORISE, by=by, now=now)
    case = dossier.case
    old = _terms(case)
    new = old | {name: told for name, told in _told(correction).items() if told is not None}
    if correction.kind is Kind.ACCUSATION:
        _refuse("kind", _NO_ACCUSATION)
    if new == old:
        _refuse("", "与现在的性质、分类和紧急程度相同，没有可改的")
    named = await _NAMED.one(tx, old_id=case.category_id, new_id=new["category_id"])
    if new["category_id"] != old["category_id"] and not named.active:
        _refuse("category_id", "没有这一项，请重新选择")
    case.kind, case.category_id, case.urgent = new["kind"], new["category_id"], new["urgent"]
    dossier.timing = replace(dossier.timing, categories=tuple(named.categories))
    dossier.remeasure(now, may_be_later=access.by_the_command_center(by))
    history.record(
        tx,
        dossier,
        Action.RECATEGORISE,
        by=by,
        now=now,
        public=True,
        texts={"reason": reason},
        old=old | {"category": named.old_path},
        new=new | {"category": named.path},
    )
    return dossier


async def rule_for_own_handling(
    tx: Transaction, dossier: Dossier, *, by: StaffActor, now: datetime
) -> Rule:
    """By which rule the holder handles what it takes on itself: that of what it called the case before, if that is sooner.

    Else whoever may not gain time in a stage by another name would change the name before the stage begins.
    """
    kind, timing = dossier.holder.kind, dossier.timing
    rule = dossier.rule(Stage.HANDLE, kind)
    untouched = dossier.matter.head_seq == 1
    if untouched or access.by_the_command_center(by):
        return rule
    before = await _BEFORE_ITS_OWN.one_or_none(tx, matter_id=dossier.case.id, unit_id=by.unit_id)
    if before is None:
        return rule
    former = timing.rules.of(
        Stage.HANDLE,
        tier=kind,
        kind=before.old.kind,
        categories=before.categories,
        urgent=before.old.urgent,
    )

    def due(one: Rule) -> datetime:
        at = timing.calendar.due(now, one.limit).at
        assert at is not None, "nothing pauses it"
        return at

    return min(rule, former, key=due)


def _terms(case: Case) -> dict[str, Any]:
    return {"kind": case.kind, "category_id": case.category_id, "urgent": case.urgent}


def _told(correction: Correction) -> dict[str, Any]:
    return {
        "kind": correction.kind,
        "category_id": correction.category_id,
        "urgent": correction.urgent,
    }


def _refuse(field: str, what: str) -> NoReturn:
    raise InvalidInput(mistakes=[{"where": f"body.{field}".rstrip("."), "what": what}])
