"""What the reporter does, or somebody on the reporter's behalf: register, supply, object to a refusal, withdraw."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from app import keys, usage
from app.auth.actor import CitizenActor, StaffActor
from app.auth.phones import textable
from app.calendars.reading import calendar_of
from app.cases import access, history, lifecycle, whole_case
from app.cases.dossier import Dossier
from app.cases.lifecycle import Action
from app.cases.models import Case, Channel, matter_of
from app.cases.routing import Desks, Place, first_holder
from app.cases.similar_reports import SimilarReport, similar_ones
from app.chinese_text import name_to_compare
from app.db import Transaction
from app.directory.models import Citizen
from app.directory.queries import carried_on_by
from app.directory.terms import UnitKind
from app.errors import AccusationOfOwnLine, InvalidInput, NobodyMaySee, NotPermitted
from app.identifiers import case_reference, tracking_code, uuid7
from app.limits.reading import rules_of
from app.limits.terms import Kind, Stage
from app.matters import photos, sealed_matters
from app.matters.deadlines import Timing
from app.matters.matter import Matter, PersonAsGiven
from app.matters.parts import Assignment, AssignmentState
from app.matters.telling import tell
from app.settings import settings
from app.texts.outbox import MessageKind
from app.usage import Counted

# How long a name given with a number goes on telling that others use it.
NAMES_COUNT_FOR: Final = timedelta(days=365)
_OFFICIAL: Final = (
    "这个号码是单位或工作人员的，办结后由电话回访请群众评价。请尽量登记群众本人的号码。"
)
_SHARED: Final = "这个号码已登记过多人，办结后由电话回访请群众评价。请尽量登记群众本人的号码。"
# How many of a person's cases are looked through for one that tells the same.
_RECENT: Final = 20
# Whom one can walk up to. Departments are given work, they do not take cases in.
_TAKES_IN = frozenset({UnitKind.VILLAGE, UnitKind.TOWNSHIP, UnitKind.COMMAND_CENTER})

# One statement: the desks, the category, and the person helped, found by number. Of a unit that was merged or
# renamed, the one that carries on.
_SETTING = usage.with_count(f"""
SELECT a.id, a.name, a.kind, a.county_id, county.code AS county_code,
  (SELECT version FROM calendar WHERE county_id = a.county_id) AS calendar_version,
  (SELECT version FROM limit_set WHERE county_id = a.county_id) AS limits_version,
  (SELECT array_remove(ARRAY[k.id, k.parent_id, above.parent_id], NULL) FROM category k
    LEFT JOIN category above ON above.id = k.parent_id WHERE k.id = :category_id) AS categories,
  cc.id AS center_id, cc.name AS center_name, d.id AS discipline_id, d.name AS discipline_name,
  CAST(:category_id AS int) IS NULL OR EXISTS (SELECT 1 FROM category WHERE id = :category_id AND active) AS category_known,
  (SELECT id FROM unit WHERE id = {carried_on_by("code = :accused_code")} AND county_id = a.county_id) AS accused_id,
  (SELECT id FROM unit WHERE id = {carried_on_by("code = :place_code")} AND county_id = a.county_id) AS village_id,
  person.id AS person_id,
  EXISTS (SELECT 1 FROM official_number n WHERE n.phone_key = :phone_key AND n.removed_at IS NULL) AS number_official,
  (SELECT count(*) FROM (
    SELECT DISTINCT d.name_key FROM person_as_given d
    WHERE d.phone_key = :phone_key AND d.given_at > :names_since AND d.name_key <> CAST(:name_key AS bytea) LIMIT :names
  ) AS others) AS other_names,
  -- What the same person has told the same unit lately and is still open; of several people under one number, whom it is for.
  (SELECT json_agg(json_build_object('ref', s.ref, 'title', s.title, 'received_at', s.received_at, 'body', x.text) ORDER BY s.id DESC)
    FROM (
      -- How many accusations there were must not show by what they push out of the list.
      SELECT g.id, g.ref, g.title, g.received_at, g.first_unit_id, g.phase FROM grievance g
      WHERE g.citizen_id = coalesce(CAST(:citizen_id AS uuid), person.id) AND NOT g.sealed ORDER BY g.id DESC LIMIT :recent
    ) s LEFT JOIN person_as_given n ON n.matter_id = s.id
    LEFT JOIN record_text x ON x.matter_id = s.id AND x.seq = 1 AND x.field = 'body'
    WHERE s.first_unit_id = a.id AND s.phase IN ('pending', 'handling')
      AND (CAST(:citizen_id AS uuid) IS NOT NULL OR n.name_key IS NULL OR n.name_key = CAST(:name_key AS bytea))) AS open_before
FROM unit a
JOIN unit county ON county.id = a.county_id
LEFT JOIN unit cc ON cc.county_id = a.county_id AND cc.kind = 'command_center' AND cc.valid_to IS NULL
LEFT JOIN unit d ON d.county_id = a.county_id AND d.kind = 'discipline' AND d.valid_to IS NULL
LEFT JOIN citizen person ON person.phone_key = :phone_key
WHERE a.id = {carried_on_by("code = :asked_code OR id = :asked_id")} AND a.kind IN ('village', 'township', 'command_center')
  AND (a.valid_to IS NULL OR a.valid_to >= CURRENT_DATE)
LIMIT 1
""")  # noqa: S608 - conditions of our own


_ONLY_ACCUSATIONS = "只有检举控告才填写被检举控告的单位"
_NOBODY_LOOKS_INTO_IT = (
    "本县现在没有可以受理这件检举控告的督查员，没有登记。请直接向县纪检监察机关或上一级反映。"
)
_NO_TEXTS = (
    "反映人没有能收短信的手机号码：请当面或打电话告知编号、查询码和进展，办结后由指挥中心电话回访。"
)


@dataclass(frozen=True, slots=True)
class PersonHelped:
    """Whom a cadre speaks for. `phone` in E.164; some have none, and some have one that no text arrives at."""

    name: str
    phone: str | None


@dataclass(frozen=True, slots=True)
class Intake:
    """What was told. `occurred_at` is when it was told, if that was before it reached the server."""

    title: str
    body: str
    kind: Kind
    channel: Channel
    place: str = ""
    # The poster's unit, for citizens; staff register at their own unit.
    asked_code: str | None = None
    # The village it is about, where the unit that takes it in is not that village.
    village_code: str | None = None
    category_id: int | None = None
    urgent: bool = False
    accused_code: str | None = None
    occurred_at: datetime | None = None
    person: PersonHelped | None = None
    # Sent in before, by whoever registers; in the order they are to be shown.
    photos: tuple[UUID, ...] = ()


class AskedBy(StrEnum):
    """How the person helped will be asked how satisfied they are; told to the staff who typed their number."""

    TEXT = "text"
    RETURN_CALL = "return_call"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class NumberGiven:
    """What is known of the number that staff typed for somebody; they are told, so that they may ask for another."""

    asked_by: AskedBy
    notice: str | None = None


@dataclass(frozen=True, slots=True)
class Registered:
    case: Case
    matter: Matter
    holder: Place
    number: NumberGiven
    # Told once, to follow the case without signing in; stored only as a keyed digest.
    tracking_code: str
    # What the same person told before and is still open: whoever registers may have sent it twice.
    similar_open: tuple[SimilarReport, ...] = ()

    @property
    def notice(self) -> str | None:
        """What whoever enters it must know of the number: that no text reaches it, or that a call will ask instead."""
        known = self.case.citizen_id is not None
        return _NO_TEXTS if known and not self.case.textable else self.number.notice


async def register(
    tx: Transaction,
    intake: Intake,
    *,
    by: StaffActor | CitizenActor,
    now: datetime,
    counted: Sequence[Counted] = (),
) -> Registered:
    """Take a grievance in at the unit that was asked.

    An accusation is sealed and goes to the discipline commission. Raises NotPermitted for posts that take nothing in,
    InvalidInput for a unit, village, category or photo that is not there, AccusationOfOwnLine for staff who would learn of
    an accusation against a unit of theirs, NobodyMaySee where nobody in the county could look into it,
    TooMany where one of `counted` has had enough.
    """
    if isinstance(by, StaffActor) and not (by.acts and by.unit_kind in _TAKES_IN):
        raise NotPermitted
    found = await _setting(tx, intake, by, now, counted)
    taken_up = await photos.claim(tx, intake.photos, by=by)
    desks = _desks(found)
    sealed = intake.kind is Kind.ACCUSATION
    holder = await _holder(tx, desks, found, sealed=sealed, by=by)
    code = tracking_code()
    ref = case_reference(found.county_code, now)
    case = Case(
        id=uuid7(now),
        ref=ref,
        tracking_key=tracking_key(ref, code),
        county_id=found.county_id,
        village_id=found.village_id or (found.id if desks.asked.kind is UnitKind.VILLAGE else None),
        first_unit_id=found.id,
        entered_by_unit_id=by.unit_id if isinstance(by, StaffActor) else None,
        entered_by_staff_id=by.staff_id if isinstance(by, StaffActor) else None,
        citizen_id=by.citizen_id
        if isinstance(by, CitizenActor)
        else _person_helped(tx, intake.person, found, now),
        textable=_may_be_texted(intake, found, by),
        channel=intake.channel,
        kind=intake.kind,
        category_id=intake.category_id,
        urgent=intake.urgent,
        sealed=sealed,
        accused_unit_id=found.accused_id,
        title=intake.title,
        received_at=now,
        occurred_at=intake.occurred_at,
        due_at=now,
        statutory_due_at=now,
        holder_unit_id=holder.unit_id,
        phase=lifecycle.FIRST_PHASE,
    )
    timing = Timing(
        await calendar_of(tx, found.county_id, found.calendar_version or 0),
        await rules_of(tx, found.county_id, found.limits_version or 0),
        tuple(found.categories or ()),
    )
    matter = matter_of(case)
    dossier = Dossier(matter, case, holder, None, [], [], timing, {}, frozenset())
    dossier.start(Stage.JUDGE, now)
    whole_case.begin(dossier, now, Stage.INFORM, Stage.STATUTORY)
    # Who entered it for a unit that carries on for theirs goes on seeing what they entered.
    for unit_id in {holder.unit_id, case.entered_by_unit_id or holder.unit_id}:
        access.admit(tx, case, unit_id, now)
    photos.attach(tx, taken_up, case.id)
    given = _keep_as_given(tx, intake.person, case, now)
    history.record(
        tx,
        dossier,
        Action.REGISTER,
        by=by,
        now=now,
        public=True,
        texts={"title": intake.title, "body": intake.body}
        | ({"place": intake.place} if intake.place else {}),
        beside={"person_as_given": 1} if given else None,
        unit=found.id,
        channel=intake.channel,
        **({"photos": list(intake.photos)} if intake.photos else {}),
    )
    tell(tx, case, MessageKind.RECEIPT, now=now, unit=desks.asked.name, code=code)
    similar = () if sealed else similar_ones(intake.title, intake.body, found.open_before or ())
    return Registered(case, matter, holder, _number_given(case, found), code, similar)


async def supply(
    tx: Transaction, ref: str, *, by: StaffActor | CitizenActor, supplement: str, now: datetime
) -> Dossier:
    """What was missing, told; the holder's clock goes on where it stood."""
    dossier = await access.lock_case(tx, ref, by=by)
    access.take(dossier, Action.SUPPLY, by=by, now=now)
    dossier.go_on(now)
    history.record(
        tx, dossier, Action.SUPPLY, by=by, now=now, public=True, texts={"supplement": supplement}
    )
    return dossier


async def object_refusal(
    tx: Transaction, ref: str, *, by: StaffActor | CitizenActor, reason: str, now: datetime
) -> Dossier:
    """The reporter does not accept that the case was declined: the next tier up judges."""
    dossier = await access.lock_case(tx, ref, by=by)
    access.take(dossier, Action.OBJECT_REFUSAL, by=by, now=now)
    assert dossier.next_tier is not None, "the lifecycle allows it only where there is a next tier"
    dossier.case.refusals_objected += 1
    whole_case.reopen(dossier)
    dossier.give_to(dossier.next_tier, Stage.JUDGE, now)
    access.admit(tx, dossier.case, dossier.holder.unit_id, now)
    history.record(
        tx,
        dossier,
        Action.OBJECT_REFUSAL,
        by=by,
        now=now,
        public=True,
        texts={"reason": reason},
        to=dossier.holder.unit_id,
    )
    return dossier


async def withdraw(
    tx: Transaction, ref: str, *, by: StaffActor | CitizenActor, reason: str, now: datetime
) -> Dossier:
    """The reporter no longer wants it handled. Where somebody else says so for them they are told, and by whom."""
    dossier = await access.lock_case(tx, ref, by=by)
    access.take(dossier, Action.WITHDRAW, by=by, now=now)
    dossier.end_all(now)
    release_open(dossier, now)
    history.record(
        tx, dossier, Action.WITHDRAW, by=by, now=now, public=True, texts={"reason": reason}
    )
    if isinstance(by, StaffActor):
        tell(tx, dossier.case, MessageKind.WITHDRAWN, now=now, unit=by.unit_name, reason=reason)
    return dossier


def release_open(dossier: Dossier, now: datetime) -> list[Assignment]:
    """End what units still had open, because the case itself has moved on; nobody is to blame."""
    ended = [
        part
        for part in dossier.assignments
        if part.state in (AssignmentState.OFFERED, AssignmentState.SIGNED)
    ]
    for part in ended:
        release(dossier, part, now)
    return ended


def release(dossier: Dossier, part: Assignment, now: datetime) -> None:
    part.state, part.done_at = AssignmentState.RELEASED, now
    dossier.end_part(part, now)


def tracking_key(ref: str, code: str) -> bytes:
    return keys.lookup("tracking", f"{ref}/{code.upper()}")


async def _setting(
    tx: Transaction,
    intake: Intake,
    by: StaffActor | CitizenActor,
    now: datetime,
    counted: Sequence[Counted],
) -> Any:
    if intake.accused_code is not None and intake.kind is not Kind.ACCUSATION:
        raise InvalidInput(mistakes=[{"where": "body.accused_code", "what": _ONLY_ACCUSATIONS}])
    person = intake.person if isinstance(by, StaffActor) else None
    found = await usage.find_and_count(
        tx,
        _SETTING,
        counted,
        now=now,
        asked_code=intake.asked_code if isinstance(by, CitizenActor) else None,
        asked_id=by.unit_id if isinstance(by, StaffActor) else None,
        place_code=intake.village_code,
        accused_code=intake.accused_code,
        category_id=intake.category_id,
        phone_key=_phone_key(person),
        name_key=b"" if person is None else _name_key(person),
        names_since=now - NAMES_COUNT_FOR,
        names=settings().shared_number_names,
        citizen_id=by.citizen_id if isinstance(by, CitizenActor) else None,
        recent=_RECENT,
    )
    unknown = _unknown(found, intake)
    if unknown:
        raise InvalidInput(
            mistakes=[{"where": where, "what": "没有这一项，请重新选择"} for where in unknown]
        )
    return found


async def _holder(
    tx: Transaction, desks: Desks, found: Any, *, sealed: bool, by: StaffActor | CitizenActor
) -> Place:
    accused: int | None = found.accused_id
    seeing: set[int] = set()
    if sealed:
        if (
            isinstance(by, StaffActor)
            and accused is not None
            and await sealed_matters.in_line(tx, by, accused)
        ):
            raise AccusationOfOwnLine
        asked = [one.unit_id for one in (desks.discipline, desks.command_center) if one is not None]
        seeing = await sealed_matters.with_viewer(tx, asked, accused_id=accused)
    holder = first_holder(desks, sealed=sealed, seeing=seeing)
    if holder is None:
        raise NobodyMaySee(_NOBODY_LOOKS_INTO_IT)
    return holder


def _may_be_texted(intake: Intake, found: Any, by: StaffActor | CitizenActor) -> bool:
    """An accusation that staff typed is texted to no number that may be a unit's or the typist's own."""
    if isinstance(by, CitizenActor):
        return True
    phone = None if intake.person is None else intake.person.phone
    if phone is None or not textable(phone):
        return False
    return intake.kind is not Kind.ACCUSATION or not (found.number_official or _is_shared(found))


def _is_shared(found: Any) -> bool:
    return bool(found.other_names + 1 >= settings().shared_number_names)


def _person_helped(
    tx: Transaction, person: PersonHelped | None, found: Any, now: datetime
) -> UUID | None:
    """Who is known by the number, or somebody new. Two who enter the same number at once: the second is tried again."""
    if person is None:
        return None
    if found.person_id is not None:
        known: UUID = found.person_id
        return known
    person_id = uuid7(now)
    fresh = Citizen(
        id=person_id,
        phone_sealed=keys.encrypt(person.phone, keys.at("citizen.phone_sealed", person_id))
        if person.phone
        else None,
        phone_key=_phone_key(person),
        village_id=found.id if found.kind == UnitKind.VILLAGE else None,
        created_at=now,
    )
    tx.add(fresh)
    return fresh.id


def _phone_key(person: PersonHelped | None) -> bytes | None:
    return keys.lookup("phone", person.phone) if person and person.phone else None


def _name_key(person: PersonHelped) -> bytes:
    return keys.lookup("name", name_to_compare(person.name))


def _keep_as_given(tx: Transaction, person: PersonHelped | None, case: Case, now: datetime) -> bool:
    if person is None or case.entered_by_unit_id is None:
        return False
    tx.add(
        PersonAsGiven(
            matter_id=case.id,
            phone_key=None if case.sealed else _phone_key(person),
            name_key=_name_key(person),
            name_sealed=keys.encrypt(person.name, keys.at("person_as_given.name_sealed", case.id)),
            given_at=now,
        )
    )
    return True


def _number_given(case: Case, found: Any) -> NumberGiven:
    if case.citizen_id is None:
        return NumberGiven(AskedBy.NOBODY)
    if case.entered_by_unit_id is None:
        return NumberGiven(AskedBy.TEXT)
    if not case.textable:
        return NumberGiven(AskedBy.RETURN_CALL, "没有登记手机号码，办结后由电话回访请群众评价。")
    if found.number_official:
        return NumberGiven(AskedBy.RETURN_CALL, _OFFICIAL)
    if _is_shared(found):
        return NumberGiven(AskedBy.RETURN_CALL, _SHARED)
    return NumberGiven(AskedBy.TEXT)


def _unknown(found: Any, intake: Intake) -> list[str]:
    if found.id is None:
        return ["body.unit_code"]
    checks = {
        "body.category_id": found.category_known,
        "body.accused_code": intake.accused_code is None or found.accused_id is not None,
        "body.village_code": intake.village_code is None or found.village_id is not None,
    }
    return [where for where, known in checks.items() if not known]


def _desks(found: Any) -> Desks:
    return Desks(
        asked=Place(found.id, found.name, UnitKind(found.kind)),
        command_center=None
        if found.center_id is None
        else Place(found.center_id, found.center_name, UnitKind.COMMAND_CENTER),
        discipline=None
        if found.discipline_id is None
        else Place(found.discipline_id, found.discipline_name, UnitKind.DISCIPLINE),
    )
