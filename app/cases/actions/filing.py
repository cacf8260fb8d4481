"""The reporter's actions, by the reporter or on their behalf: register, supply, add, object to a refusal, withdraw."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from app import keys, usage
from app.auth.actor import CitizenActor, StaffActor
from app.auth.phones import textable
from app.calendars.reading import calendar_of
from app.cases import access, case_clock, history, lifecycle, number_given
from app.cases import position as positions
from app.cases.dossier import Dossier
from app.cases.lifecycle import Action
from app.cases.models import Case, Channel, matter_of
from app.cases.number_given import (
    NO_TEXTS,
    AskedBy,
    NumberGiven,
    PersonHelped,
    name_key,
    phone_key,
)
from app.cases.position import Position
from app.cases.routing import Desks, Place, first_holder
from app.cases.searched_words import SearchedWords, letters_of, told_text
from app.cases.similar_reports import OpenReport, SimilarReport, similar_ones
from app.cases.surroundings import category_line, place_columns, version_in_force
from app.db import Transaction
from app.db.query import Json
from app.directory.models import Citizen
from app.directory.poster_places import TAKE_REPORTS
from app.directory.queries import carried_on_by
from app.directory.terms import UnitKind
from app.errors import AccusationOfOwnLine, InvalidInput, NobodyMaySee, NotPermitted
from app.identifiers import case_reference, tracking_code, uuid7
from app.limits.reading import rules_of
from app.limits.terms import Kind, Stage
from app.matters import attachments, sealed_matters
from app.matters.clocks import Clock
from app.matters.deadlines import WHOLE_CASE_STAGES, Timing
from app.matters.matter import Matter, PersonAsGiven
from app.matters.telling import tell
from app.texts.outbox import MessageKind
from app.usage import Counted

# How many of a person's cases are looked through for one that tells the same.
_RECENT: Final = 20
_CHANNELS: Final = {UnitKind.VILLAGE: Channel.CADRE, UnitKind.COMMAND_CENTER: Channel.HOTLINE}


@dataclass(frozen=True, slots=True)
class _Setting:
    """What a new case meets: the unit that was asked, its county's desks and rules, what was named, and the person helped.

    `other_names` counts further names given with the person's number; `open_before` is what the same person told the same
    unit lately and is still open.
    """

    asked: Place
    county_id: int
    county_code: str
    calendar_version: int
    limits_version: int
    categories: list[int] | None
    command_center: Place | None
    discipline: Place | None
    category_known: bool
    accused_id: int | None
    village_id: int | None
    person_id: UUID | None
    number_official: bool
    other_names: int
    open_before: Json[list[OpenReport]]

    @property
    def number_shared(self) -> bool:
        return number_given.is_shared(self.other_names)


class _SettingAndUse(usage.Used, frozen=True):
    found: _Setting | None


# Open reports that the same person made to the same unit. Several people may share a number: the name must match too.
# Accusations are left out before LIMIT applies: otherwise missing reports would show how many accusations there are.
_OPEN_BEFORE: Final = """coalesce((
  SELECT json_agg(json_build_object('ref', s.ref, 'title', s.title, 'received_at', s.received_at, 'body', x.text) ORDER BY s.id DESC)
  FROM (
    SELECT g.id, g.ref, g.title, g.received_at, g.first_unit_id, g.phase FROM grievance g
    WHERE g.citizen_id = coalesce(CAST(:citizen_id AS uuid), person.id) AND NOT g.sealed ORDER BY g.id DESC LIMIT :recent
  ) s LEFT JOIN person_as_given n ON n.matter_id = s.id
  LEFT JOIN record_text x ON x.matter_id = s.id AND x.seq = 1 AND x.field = 'body'
  WHERE s.first_unit_id = a.id AND s.phase IN ('pending', 'handling')
    AND (CAST(:citizen_id AS uuid) IS NOT NULL OR n.name_key IS NULL OR n.name_key = CAST(:name_key AS bytea))), '[]')"""
# Of a unit that was merged or renamed, the one that carries on. A department or the county hears nobody out: the poster of one
# leads to the county's command center, which is then the unit that was asked first.
_SETTING: Final = usage.with_count(
    _SettingAndUse,
    _Setting,
    f"""
SELECT {place_columns("a", "asked")}, a.county_id, county.code AS county_code,
  {version_in_force("calendar", "a.county_id")} AS calendar_version,
  {version_in_force("limit_set", "a.county_id")} AS limits_version,
  {category_line(":category_id")} AS categories,
  {place_columns("cc", "command_center")}, {place_columns("d", "discipline")},
  CAST(:category_id AS int) IS NULL OR EXISTS (SELECT 1 FROM category WHERE id = :category_id AND active) AS category_known,
  (SELECT id FROM unit WHERE id = {carried_on_by("code = :accused_code")} AND county_id = a.county_id) AS accused_id,
  (SELECT id FROM unit WHERE id = {carried_on_by("code = :place_code")} AND county_id = a.county_id) AS village_id,
  person.id AS person_id,
  {number_given.IS_OFFICIAL} AS number_official,
  {number_given.OTHER_NAMES} AS other_names,
  {_OPEN_BEFORE} AS open_before
FROM unit named
JOIN unit a ON a.id = CASE WHEN named.kind IN ('department', 'county') THEN (
  SELECT id FROM unit WHERE county_id = named.county_id AND kind = 'command_center' AND valid_to IS NULL) ELSE named.id END
JOIN unit county ON county.id = a.county_id
LEFT JOIN unit cc ON cc.county_id = a.county_id AND cc.kind = 'command_center' AND cc.valid_to IS NULL
LEFT JOIN unit d ON d.county_id = a.county_id AND d.kind = 'discipline' AND d.valid_to IS NULL
LEFT JOIN citizen person ON person.phone_key = :phone_key
WHERE named.id = {carried_on_by("code = :asked_code OR id = :asked_id")} AND a.kind IN ('village', 'township', 'command_center')
  AND (named.valid_to IS NULL OR named.valid_to >= CAST(:today AS date))
LIMIT 1
""",  # noqa: S608 - conditions of our own
)


_NOTHING_TOLD: Final = "请写一句话，或者附上照片、语音"
_NOTHING_ADDED: Final = "请写一句话，或者附上照片"
_ONLY_ACCUSATIONS = "只有检举控告才填写被检举控告的单位"
_NOBODY_LOOKS_INTO_IT = (
    "本县现在没有可以受理这件检举控告的督查员，没有登记。请直接向县纪检监察机关或上一级反映。"
)


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
    voices: tuple[UUID, ...] = ()
    position: Position | None = None
    # The person is told to the unit that was asked, the unit that enters it and the command center alone. An accusation goes
    # past all of them: it is sealed, and its inspectors learn of the person.
    confidential: bool = False


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
        return NO_TEXTS if known and not self.case.textable else self.number.notice


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
    InvalidInput for a unit, village, category, photo or voice message that is not there, or where nothing is told,
    AccusationOfOwnLine for staff who would learn of
    an accusation against a unit of theirs, NobodyMaySee where nobody in the county could look into it,
    TooMany where one of `counted` has had enough.
    """
    if isinstance(by, StaffActor) and not (by.acts and by.unit_kind in TAKE_REPORTS):
        raise NotPermitted
    if not (intake.body or intake.photos or intake.voices):
        raise InvalidInput(mistakes=[{"where": "body.body", "what": _NOTHING_TOLD}])
    # A new case has nothing to lock: the setting is looked up instead.
    setting = await _setting(tx, intake, by, now, counted)
    taken = await attachments.claim(tx, photos=intake.photos, voices=intake.voices, by=by)
    holder = await _holder(tx, setting, sealed=intake.kind is Kind.ACCUSATION, by=by)
    code = tracking_code()
    dossier = await _opened(tx, intake, setting, holder, code, by=by, now=now)
    case = dossier.case
    _admit_parties(tx, case, now)
    if not case.sealed:
        told = told_text(case.title, intake.body, intake.place)
        tx.add(SearchedWords(matter_id=case.id, county_id=case.county_id, letters=letters_of(told)))
    as_given = _keep_as_given(tx, intake.person, case, now)
    history.record(
        tx,
        dossier,
        Action.REGISTER,
        by=by,
        now=now,
        public=True,
        texts=_words(intake),
        beside={"person_as_given": 1} if as_given else None,
        unit=setting.asked.unit_id,
        channel=intake.channel,
        **({"confidential": True} if intake.confidential and not case.sealed else {}),
        **taken.attach(tx, case.id),
    )
    tell(tx, case, MessageKind.RECEIPT, now=now, unit=setting.asked.name, code=code)
    similar = _similar(intake, case, setting)
    return Registered(case, dossier.matter, holder, _number_given(case, setting), code, similar)


def channel_of(by: StaffActor) -> Channel:
    """How a case came in follows from the unit that enters it."""
    return _CHANNELS.get(by.unit_kind, Channel.CLERK)


async def supply(
    tx: Transaction,
    ref: str,
    *,
    by: StaffActor | CitizenActor,
    supplement: str,
    photos: Sequence[UUID] = (),
    now: datetime,
) -> Dossier:
    """What was missing, told; the holder's clock goes on where it stood."""
    dossier = await access.lock_case(tx, ref, by=by)
    access.take(dossier, Action.SUPPLY, by=by, now=now)
    taken = await attachments.claim(tx, photos=photos, by=by)
    dossier.go_on(now)
    history.record(
        tx,
        dossier,
        Action.SUPPLY,
        by=by,
        now=now,
        public=True,
        texts={"supplement": supplement},
        **taken.attach(tx, dossier.matter.id),
    )
    return dossier


async def add(
    tx: Transaction,
    ref: str,
    *,
    by: StaffActor | CitizenActor,
    addition: str,
    photos: Sequence[UUID] = (),
    now: datetime,
) -> Dossier:
    """Words and photos that the reporter adds unasked (补充说明). No clock is touched; the holder sees that there is news.

    Raises InvalidInput where neither is there.
    """
    if not (addition or photos):
        raise InvalidInput(mistakes=[{"where": "body.addition", "what": _NOTHING_ADDED}])
    dossier = await access.lock_case(tx, ref, by=by)
    access.take(dossier, Action.ADD, by=by, now=now)
    taken = await attachments.claim(tx, photos=photos, by=by)
    history.record(
        tx,
        dossier,
        Action.ADD,
        by=by,
        now=now,
        public=True,
        texts={"addition": addition},
        **taken.attach(tx, dossier.matter.id),
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
    case_clock.reopen(dossier)
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
    dossier.release_open(now)
    history.record(
        tx, dossier, Action.WITHDRAW, by=by, now=now, public=True, texts={"reason": reason}
    )
    if isinstance(by, StaffActor):
        tell(tx, dossier.case, MessageKind.WITHDRAWN, now=now, unit=by.unit_name, reason=reason)
    return dossier


def tracking_key(ref: str, code: str) -> bytes:
    return keys.lookup("tracking", f"{ref}/{code.upper()}")


async def _setting(
    tx: Transaction,
    intake: Intake,
    by: StaffActor | CitizenActor,
    now: datetime,
    counted: Sequence[Counted],
) -> _Setting:
    if intake.accused_code is not None and intake.kind is not Kind.ACCUSATION:
        raise InvalidInput(mistakes=[{"where": "body.accused_code", "what": _ONLY_ACCUSATIONS}])
    person = intake.person if isinstance(by, StaffActor) else None
    row = await usage.find_and_count(
        tx,
        _SETTING,
        counted,
        now=now,
        asked_code=intake.asked_code if isinstance(by, CitizenActor) else None,
        asked_id=by.unit_id if isinstance(by, StaffActor) else None,
        place_code=intake.village_code,
        accused_code=intake.accused_code,
        category_id=intake.category_id,
        **number_given.binds(person, now),
        citizen_id=by.citizen_id if isinstance(by, CitizenActor) else None,
        recent=_RECENT,
    )
    setting = row.found
    unknown = ["body.unit_code"] if setting is None else _unknown(setting, intake)
    if setting is None or unknown:
        raise InvalidInput(
            mistakes=[{"where": where, "what": "没有这一项，请重新选择"} for where in unknown]
        )
    return setting


async def _opened(
    tx: Transaction,
    intake: Intake,
    setting: _Setting,
    holder: Place,
    code: str,
    *,
    by: StaffActor | CitizenActor,
    now: datetime,
) -> Dossier:
    """The new case at its first holder, in its first phase, with the clocks that begin at registration."""
    timing = Timing(
        await calendar_of(tx, setting.county_id, setting.calendar_version),
        await rules_of(tx, setting.county_id, setting.limits_version),
        tuple(setting.categories or ()),
    )
    case_id = uuid7(now)
    clocks = _started_clocks(timing, intake, setting, holder, case_id, now)
    judge = clocks[Stage.JUDGE]
    ref = case_reference(setting.county_code, now)
    case = Case(
        id=case_id,
        ref=ref,
        tracking_key=tracking_key(ref, code),
        county_id=setting.county_id,
        village_id=setting.village_id or _village_asked(setting),
        first_unit_id=setting.asked.unit_id,
        **_reporter(tx, intake, setting, by, now),
        textable=_may_be_texted(intake, setting, by),
        channel=intake.channel,
        kind=intake.kind,
        category_id=intake.category_id,
        urgent=intake.urgent,
        sealed=intake.kind is Kind.ACCUSATION,
        accused_unit_id=setting.accused_id,
        title=intake.title,
        received_at=now,
        occurred_at=intake.occurred_at,
        due_at=_due(clocks[Stage.WHOLE]),
        statutory_due_at=_due(clocks[Stage.STATUTORY]),
        holder_unit_id=holder.unit_id,
        phase=lifecycle.FIRST_PHASE,
        stage=judge.stage,
        stage_started_at=now,
        stage_due_at=judge.due_at,
        stage_rule=judge.rule,
    )
    running = list(clocks.values())
    return Dossier(matter_of(case), case, holder, None, [], running, timing, {}, frozenset())


def _started_clocks(
    timing: Timing, intake: Intake, setting: _Setting, holder: Place, case_id: UUID, now: datetime
) -> dict[Stage, Clock]:
    """The clock of the first stage at the holder, and the clocks of the whole case at the unit that was asked."""

    def start(stage: Stage, unit_id: int) -> Clock:
        rule = timing.rule(stage, tier=holder.kind, kind=intake.kind, urgent=intake.urgent)
        return Clock.start(
            rule,
            stage,
            timing.calendar,
            matter_id=case_id,
            county_id=setting.county_id,
            round_=1,
            unit_id=unit_id,
            now=now,
        )

    first = {Stage.JUDGE: start(Stage.JUDGE, holder.unit_id)}
    return first | {stage: start(stage, setting.asked.unit_id) for stage in WHOLE_CASE_STAGES}


def _due(clock: Clock) -> datetime:
    assert clock.due_at is not None, "a clock that has just begun does not stand still"
    return clock.due_at


def _village_asked(setting: _Setting) -> int | None:
    return setting.asked.unit_id if setting.asked.kind is UnitKind.VILLAGE else None


def _reporter(
    tx: Transaction,
    intake: Intake,
    setting: _Setting,
    by: StaffActor | CitizenActor,
    now: datetime,
) -> dict[str, int | UUID | None]:
    """Columns of the case that name the reporter and, if staff entered it, the staff member and unit."""
    if isinstance(by, CitizenActor):
        return {"citizen_id": by.citizen_id}
    return {
        "entered_by_unit_id": by.unit_id,
        "entered_by_staff_id": by.staff_id,
        "citizen_id": _person_helped(tx, intake.person, setting, now),
    }


def _admit_parties(tx: Transaction, case: Case, now: datetime) -> None:
    # The entering unit may have been merged into the first unit; it still sees the case.
    for unit_id in {case.holder_unit_id, case.entered_by_unit_id or case.holder_unit_id}:
        access.admit(tx, case, unit_id, now)


def _words(intake: Intake) -> dict[str, str]:
    words = {"title": intake.title, "body": intake.body}
    if intake.place:
        words["place"] = intake.place
    if intake.position is not None:
        words[positions.FIELD] = intake.position.written()
    return words


def _similar(intake: Intake, case: Case, setting: _Setting) -> tuple[SimilarReport, ...]:
    """Open reports of the same person that tell the same; none for a report without words, since only words are compared."""
    if case.sealed or not intake.body:
        return ()
    return similar_ones(intake.title, intake.body, setting.open_before)


async def _holder(
    tx: Transaction, setting: _Setting, *, sealed: bool, by: StaffActor | CitizenActor
) -> Place:
    desks = Desks(setting.asked, setting.command_center, setting.discipline)
    accused = setting.accused_id
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


def _may_be_texted(intake: Intake, setting: _Setting, by: StaffActor | CitizenActor) -> bool:
    """An accusation that staff typed is texted to no number that may be a unit's or the typist's own."""
    if isinstance(by, CitizenActor):
        return True
    phone = None if intake.person is None else intake.person.phone
    if phone is None or not textable(phone):
        return False
    of_others = setting.number_official or setting.number_shared
    return intake.kind is not Kind.ACCUSATION or not of_others


def _person_helped(
    tx: Transaction, person: PersonHelped | None, setting: _Setting, now: datetime
) -> UUID | None:
    """Who is known by the number, or somebody new. Two who enter the same number at once: the second is tried again."""
    if person is None:
        return None
    if setting.person_id is not None:
        return setting.person_id
    person_id = uuid7(now)
    fresh = Citizen(
        id=person_id,
        phone_sealed=keys.encrypt(person.phone, keys.at("citizen.phone_sealed", person_id))
        if person.phone
        else None,
        phone_key=phone_key(person),
        village_id=_village_asked(setting),
        created_at=now,
    )
    tx.add(fresh)
    return fresh.id


def _keep_as_given(tx: Transaction, person: PersonHelped | None, case: Case, now: datetime) -> bool:
    if person is None or case.entered_by_unit_id is None:
        return False
    tx.add(
        PersonAsGiven(
            matter_id=case.id,
            phone_key=None if case.sealed else phone_key(person),
            name_key=name_key(person),
            name_sealed=keys.encrypt(person.name, keys.at("person_as_given.name_sealed", case.id)),
            given_at=now,
        )
    )
    return True


def _number_given(case: Case, setting: _Setting) -> NumberGiven:
    if case.citizen_id is None:
        return NumberGiven(AskedBy.NOBODY)
    if case.entered_by_unit_id is None:
        return NumberGiven(AskedBy.TEXT)
    return number_given.told_of(
        reached=case.textable, official=setting.number_official, shared=setting.number_shared
    )


def _unknown(setting: _Setting, intake: Intake) -> list[str]:
    checks = {
        "body.category_id": setting.category_known,
        "body.accused_code": intake.accused_code is None or setting.accused_id is not None,
        "body.village_code": intake.village_code is None or setting.village_id is not None,
    }
    return [where for where, known in checks.items() if not known]
