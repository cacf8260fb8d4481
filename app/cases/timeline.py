"""A case told in order: to staff in full, to the reporter in citizens' words, to whoever has the tracking code likewise."""

import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from app import keys
from app.auth.actor import StaffActor
from app.calendars.working_time import Limit
from app.cases import position as positions
from app.cases.actions.filing import tracking_key
from app.cases.dossier import Dossier
from app.cases.lifecycle import Action, Phase
from app.cases.models import Outcome, ReviewOutcome
from app.db import Transaction
from app.db.query import Json, Query
from app.errors import NotFound
from app.limits.terms import Kind, Stage
from app.matters import deadlines, papers
from app.matters.clocks import Clock
from app.matters.papers import TO_ALL_REPORTERS, TO_REPORTER, PaperKind

# Words that were written to the reporter or by the reporter. Findings and tasks stay among those who handle the case.
_TOLD_TO_REPORTER = frozenset({"missing", "basis", "report", "answer", "supplement", "addition"})

_EVENTS = """
SELECT coalesce(json_agg(json_build_object(
  'seq', e.seq, 'at', e.at, 'action', e.action, 'public', e.public, 'unit', u.name, 'staff', s.name,
  'data', CAST(e.body AS json) -> 'data',
  'to', (SELECT t.name FROM unit t WHERE t.id = CAST(coalesce(
      CAST(e.body AS json) #>> '{data,to}', CAST(e.body AS json) #>> '{data,lead}') AS int)),
  'texts', (SELECT json_object_agg(x.field, x.text) FROM record_text x WHERE x.matter_id = e.matter_id AND x.seq = e.seq)
) ORDER BY e.seq), '[]')
FROM record_entry e
LEFT JOIN unit u ON u.id = e.unit_id
LEFT JOIN staff s ON s.id = e.staff_id
WHERE e.matter_id = c.id"""


@dataclass(frozen=True, slots=True)
class _ClockOfUnit:
    unit: str
    clock: dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Reporter:
    """Whose case it is, with the name that staff typed and the number, both sealed."""

    matter_id: UUID
    citizen_id: UUID | None
    phone_sealed: bytes | None
    name_sealed: bytes | None


@dataclass(frozen=True, slots=True)
class _StaffStory:
    """What was told at registration and all that was done since."""

    village: str | None
    first_unit: str
    category: str | None
    entered_by_unit: str | None
    reporter: _Reporter
    events: list[dict[str, Any]]
    clocks: Json[list[_ClockOfUnit]]
    papers: list[dict[str, Any]] | None


@dataclass(frozen=True, slots=True)
class _Primary:
    """The case that another was joined to, as far as the other's reporter may read of it. `answered_at` in ISO 8601."""

    phase: Phase
    waiting: str | None
    outcome: Outcome | None
    answered_at: str | None
    stage: Stage | None
    stage_due_at: datetime | None
    due_at: datetime
    holder: str
    events: list[dict[str, Any]]
    papers: list[dict[str, Any]] | None


@dataclass(frozen=True, slots=True)
class _Story:
    """What the reporter may read of a case. `events` is JSON; `joined_to` is None for a case that was joined to no other."""

    id: UUID
    ref: str
    title: str
    sealed: bool
    phase: Phase
    waiting: str | None
    outcome: Outcome | None
    received_at: datetime
    answered_at: datetime | None
    stage: Stage | None
    stage_due_at: datetime | None
    due_at: datetime
    holder: str
    first_unit: str
    events: str
    joined_to: Json[_Primary] | None


@dataclass(frozen=True, slots=True)
class _StoryAlone(_Story):
    """Without what the case was joined to; `primary_id` says that there is such a case."""

    primary_id: UUID | None


@dataclass(frozen=True, slots=True)
class _StoryWithPapers(_Story):
    papers: list[dict[str, Any]] | None


_FOR_STAFF = Query(
    _StaffStory,
    f"""
SELECT v.name AS village, f.name AS first_unit, k.path AS category, en.name AS entered_by_unit,
  c.id AS reporter_matter_id, p.id AS reporter_citizen_id, p.phone_sealed AS reporter_phone_sealed,
  given.name_sealed AS reporter_name_sealed, ({_EVENTS}) AS events,
  coalesce((SELECT json_agg(json_build_object('unit', wu.name, 'clock', w) ORDER BY w.started_at, w.id)
    FROM clock w JOIN unit wu ON wu.id = w.unit_id WHERE w.matter_id = c.id), '[]') AS clocks,
  (SELECT json_agg(w ORDER BY w.issued_at, w.id) FROM paper w WHERE w.matter_id = c.id) AS papers
FROM grievance c
JOIN unit f ON f.id = c.first_unit_id
LEFT JOIN unit v ON v.id = c.village_id
LEFT JOIN unit en ON en.id = c.entered_by_unit_id
LEFT JOIN category k ON k.id = c.category_id
LEFT JOIN citizen p ON p.id = c.citizen_id
LEFT JOIN person_as_given given ON given.matter_id = c.id
WHERE c.id = :matter_id""",  # noqa: S608 - constants of this module
)
_OPEN = frozenset({Phase.PENDING, Phase.HANDLING})
_NEXT: Mapping[Stage, str] = {
    Stage.JUDGE: "{unit}核实研判：能办的就办，办不了的上报",
    Stage.SIGN: "{unit}签收",
    Stage.HANDLE: "{unit}办理并答复您",
}
_WHILE_WAITING: Mapping[str, str] = {
    "supplement": "请您补充材料，补齐后接着办",
    "outside_authority": "等县外机关办理，有结果后接着办",
    "suspended": "列为长期项目，到复核日期再看",
}
# What the reporter may read and no more: neither names of staff nor facts for those who handle the case.
_TOLD_OF_UNITS = ", ".join(f"'{one}'" for one in Action if one.names_a_unit)
_NAMES_A_UNIT = f"({_TOLD_OF_UNITS})"
# What each of these makes of a review: what may be asked next, or what is being decided.
_REVIEWS: Mapping[Action, tuple[str | None, str | None]] = {
    Action.ANSWER: ("review", None),
    Action.ASK_REVIEW: (None, "review"),
    Action.DECIDE_REVIEW: ("reexamination", None),
    Action.ASK_REEXAMINATION: (None, "reexamination"),
    Action.DECIDE_REEXAMINATION: (None, None),
    Action.REWORK: (None, None),
}
_TELLS_OF_REVIEW = ", ".join(f"'{one}'" for one in sorted(_REVIEWS))
# Only for entries that can hold it: PostgreSQL parses the whole entry to look for it.
_OF_REVIEWS = f"""
  'decision', CASE WHEN e.action IN ('decide_review', 'decide_reexamination') THEN CAST(e.body AS json) #>> '{{data,decision}}' END,
  'review_until', CASE WHEN e.action IN ({_TELLS_OF_REVIEW}) THEN CAST(e.body AS json) #>> '{{data,review_until}}' END"""
_UNIT_NAMED = """(SELECT t.name FROM unit t WHERE t.id = CAST(coalesce(
      CAST(e.body AS json) #>> '{data,to}', CAST(e.body AS json) #>> '{data,lead}') AS int))"""
# Actions whose attachments the reporter sees. The tracking code opens none, so its view lists none.
_HAS_ATTACHMENTS = "('register', 'supply', 'add', 'progress', 'answer')"
_PHOTOS_TOLD = f"""
  'photos', CASE WHEN e.action IN {_HAS_ATTACHMENTS} THEN CAST(e.body AS json) #> '{{data,photos}}' END,"""
_TOLD_AT_FIRST = """
  'voices', CASE WHEN e.seq = 1 THEN CAST(e.body AS json) #> '{data,voices}' END,
  'confidential', CASE WHEN e.seq = 1 THEN CAST(e.body AS json) #> '{data,confidential}' END,"""


def _public_events(attached: str) -> str:
    return f"""
SELECT CAST(coalesce(json_agg(json_build_object(
  'at', e.at, 'action', e.action, 'unit', u.name, {attached}
  'to', CASE WHEN e.action IN {_NAMES_A_UNIT} THEN {_UNIT_NAMED} END, {_OF_REVIEWS},
  'corrected', CASE WHEN e.action = 'recategorise' THEN CAST(e.body AS json) -> 'data' END,
  'texts', (SELECT json_object_agg(x.field, x.text) FROM record_text x WHERE x.matter_id = e.matter_id AND x.seq = e.seq)
) ORDER BY e.seq), '[]') AS text)
FROM record_entry e
LEFT JOIN unit u ON u.id = e.unit_id
WHERE e.matter_id = c.id AND e.public"""  # noqa: S608 - constants of this module


_PAPERS = "(SELECT json_agg(w ORDER BY w.issued_at, w.id) FROM paper w WHERE w.matter_id = c.id) AS papers"
# What is about its reporter, or was said by or to them: of a case that another was joined to, the other's reporter sees the
# rest. Whatever a citizen did is left out as well.
_ITS_REPORTERS_OWN = frozenset(
    {
        Action.REGISTER, Action.REQUEST_SUPPLEMENT, Action.SUPPLY, Action.ADD, Action.OBJECT_REFUSAL, Action.WITHDRAW,
        Action.PRESS, Action.MERGE, Action.ASK_REVIEW, Action.ASK_REEXAMINATION,
    }
)  # fmt: skip
_OWN = ", ".join(f"'{one}'" for one in sorted(_ITS_REPORTERS_OWN))
_PAPERS_OF_ALL = ", ".join(f"'{one}'" for one in sorted(TO_ALL_REPORTERS))


# The case that this one was joined to, or that one was, and what was done there. Sealed and ordinary never meet.
def _joined_to(attached: str) -> str:
    return f"""
CASE WHEN c.primary_id IS NOT NULL THEN (
  WITH RECURSIVE above AS (
    SELECT g.* FROM grievance g WHERE g.id = c.primary_id AND g.sealed = c.sealed
    UNION
    SELECT g.* FROM above a JOIN grievance g ON g.id = a.primary_id AND g.sealed = a.sealed
  )
  SELECT json_build_object('phase', t.phase, 'waiting', t.waiting, 'outcome', t.outcome,
    'answered_at', t.answered_at, 'stage', t.stage, 'stage_due_at', t.stage_due_at, 'due_at', t.due_at, 'holder', h.name,
    'events', (SELECT coalesce(json_agg(json_build_object('at', e.at, 'action', e.action, 'unit', u.name, {attached} 'to',
        CASE WHEN e.action IN {_NAMES_A_UNIT} THEN {_UNIT_NAMED} END, {_OF_REVIEWS},
        'corrected', CASE WHEN e.action = 'recategorise' THEN CAST(e.body AS json) -> 'data' END,
        'texts', (SELECT json_object_agg(x.field, x.text) FROM record_text x WHERE x.matter_id = e.matter_id AND x.seq = e.seq)
      ) ORDER BY e.at, e.matter_id, e.seq), '[]')
      FROM above a JOIN record_entry e ON e.matter_id = a.id LEFT JOIN unit u ON u.id = e.unit_id
      WHERE e.public AND e.action NOT IN ({_OWN}) AND CAST(e.body AS json) #> '{{by,citizen}}' IS NULL),
    'papers', (SELECT json_agg(w ORDER BY w.issued_at, w.id) FROM above a JOIN paper w ON w.matter_id = a.id
      WHERE w.kind IN ({_PAPERS_OF_ALL})))
  FROM above t JOIN unit h ON h.id = t.holder_unit_id WHERE t.primary_id IS NULL
) END AS joined_to"""  # noqa: S608 - constants of this module


def _story(*more: str, photos: str = "", at_first: str = "") -> str:
    """SQL for a _Story of a case `c`, to be ended by a condition; `more`: `joined_to`, and further columns.

    `photos`: what the events tell of them; `at_first`: what else the first one tells.
    """
    return f"""
SELECT c.id, c.ref, c.title, c.sealed, c.phase, c.waiting, c.outcome, c.received_at, c.answered_at,
  c.stage, c.stage_due_at, c.due_at, h.name AS holder, f.name AS first_unit, ({_public_events(photos + at_first)}) AS events,
  {", ".join(more)}
FROM grievance c
JOIN unit h ON h.id = c.holder_unit_id
JOIN unit f ON f.id = c.first_unit_id
WHERE """  # noqa: S608 - constants of this module


# All that were joined to the case of that number, or to one that was.
_BELOW = """
WITH RECURSIVE below AS (
  SELECT id FROM grievance WHERE ref = :ref
  UNION
  SELECT g.id FROM below b JOIN grievance g ON g.primary_id = b.id
)"""


@dataclass(frozen=True, slots=True)
class _JoinedKey:
    ref: str
    tracking_key: bytes


_JOINED_KEYS = Query(
    _JoinedKey,
    f"""
{_BELOW} SELECT g.ref, g.tracking_key FROM below JOIN grievance g USING (id) WHERE g.ref <> :ref
""",  # noqa: S608 - a constant of this module
)
# The key is compared by the database, before anything is gathered: a wrong code costs what an unknown case costs. The
# key is a keyed digest, so how long the comparison takes tells nothing about the code.
_HAS_CODE = "c.ref = :ref AND c.tracking_key = :tracking_key"
_BY_CODE = Query(_Story, _story(_joined_to("")) + _HAS_CODE)
# Most cases are merged into no other. The subquery for merged ones costs as much as the rest of the statement, even where
# PostgreSQL initialises it and does not run it.
_ALONE_BY_CODE = Query(
    _StoryAlone, _story("CAST(NULL AS json) AS joined_to", "c.primary_id") + _HAS_CODE
)
_WITH_PAPERS = _story(
    _joined_to(_PHOTOS_TOLD), _PAPERS, photos=_PHOTOS_TOLD, at_first=_TOLD_AT_FIRST
)
_BY_CITIZEN = Query(_StoryWithPapers, _WITH_PAPERS + "c.ref = :ref AND c.citizen_id = :citizen_id")
# By the number of the case that the citizen's was joined to, which they were told.
_BY_PRIMARY = Query(
    _StoryWithPapers,
    f"""{_WITH_PAPERS} c.id = (
  {_BELOW} SELECT g.id FROM below JOIN grievance g USING (id) WHERE g.citizen_id = :citizen_id ORDER BY g.id LIMIT 1)
""",  # noqa: S608 - constants of this module
)


async def for_staff(
    tx: Transaction, dossier: Dossier, *, by: StaffActor, involved: bool, trusted: bool
) -> dict[str, Any]:
    """What was told and all that was done since. The reporter's name and number only for those involved.

    Of a confidential case only for those `trusted` with it, who are among those involved.
    """
    row = await _FOR_STAFF.one(tx, matter_id=dossier.case.id)
    clocks = [(Clock.from_json(one.clock), one.unit) for one in row.clocks]
    events = [_in_full(event) for event in row.events]
    confidential = bool(events[0]["data"].get("confidential"))
    position = positions.read(events[0]["texts"].pop(positions.FIELD, None))
    return {
        "body": _first_words(events, "body"),
        "place": _first_words(events, "place"),
        "position": position,
        "photos": events[0]["photos"],
        "voices": events[0]["data"].get("voices") or [],
        "confidential": confidential,
        "village": row.village,
        "category": row.category,
        "first_unit": row.first_unit,
        "entered_by_unit": row.entered_by_unit,
        "reporter": _reporter(row.reporter) if trusted or (involved and not confidential) else None,
        "timeline": events,
        "clocks": [_clock(clock, unit) for clock, unit in clocks],
        "paused_hours": _paused_hours((clock for clock, _ in clocks), await tx.now()),
        "papers": _papers(dossier.case.id, dossier.case.ref, dossier.case.received_at, row.papers),
    }


async def for_reporter(tx: Transaction, ref: str, *, citizen_id: object) -> dict[str, Any]:
    """The citizen's own case; where it was joined to another, with what became of it there.

    Raises NotFound for what is not there or not the citizen's.
    """
    return _to_reporter(await _BY_CITIZEN.one_or_none(tx, ref=ref, citizen_id=citizen_id))


async def for_joined_reporter(tx: Transaction, ref: str, *, citizen_id: object) -> dict[str, Any]:
    """The same, by the number of the case that the citizen's own was joined to."""
    return _to_reporter(await _BY_PRIMARY.one_or_none(tx, ref=ref, citizen_id=citizen_id))


def _to_reporter(row: _StoryWithPapers | None) -> dict[str, Any]:
    if row is None:
        raise NotFound
    events = msgspec.json.decode(row.events)
    joined = [] if row.joined_to is None else [_paper(one) for one in row.joined_to.papers or ()]
    papers = _papers(row.id, row.ref, row.received_at, row.papers)
    own = [one for one in papers if one["kind"] in TO_REPORTER]
    return _told(row, events) | {
        "body": _first_words(events, "body"),
        "position": positions.read((events[0]["texts"] or {}).get(positions.FIELD)),
        "photos": events[0]["photos"] or [],
        "voices": events[0]["voices"] or [],
        "confidential": bool(events[0]["confidential"]),
        "papers": own + joined,
    }


async def require_shown_to_reporter(
    tx: Transaction, ref: str, attachment_id: UUID, *, citizen_id: object, voice: bool = False
) -> None:
    """Raises NotFound unless an entry that this reporter reads tells of the photo, or of the voice message."""
    try:
        told = await for_reporter(tx, ref, citizen_id=citizen_id)
    except NotFound:
        told = await for_joined_reporter(tx, ref, citizen_id=citizen_id)
    if voice:
        shown = {one["id"] for one in told["voices"]}
    else:
        shown = {one for step in told["timeline"] for one in step["photos"]}
    if str(attachment_id) not in shown:
        raise NotFound


async def by_tracking_code(tx: Transaction, ref: str, code: str) -> dict[str, Any]:
    """Progress for whoever holds the code. A wrong code and a case that is not there look and cost the same.

    The code of a case that was joined to another also opens by the other's number, which its reporter was told.
    """
    key = tracking_key(ref, code)
    alone = await _ALONE_BY_CODE.one_or_none(tx, ref=ref, tracking_key=key)
    story: _Story | None = alone
    if alone is None:
        story = await _by_primary(tx, ref, code)
    elif alone.primary_id is not None:
        story = await _BY_CODE.one_or_none(tx, ref=ref, tracking_key=key)
    if story is None:
        raise NotFound
    return _told(story, msgspec.json.decode(story.events))


async def _by_primary(tx: Transaction, ref: str, code: str) -> _Story | None:
    for joined in await _JOINED_KEYS.all(tx, ref=ref):
        key = tracking_key(joined.ref, code)
        if hmac.compare_digest(key, joined.tracking_key):
            return await _BY_CODE.one_or_none(tx, ref=joined.ref, tracking_key=key)
    return None


def _first_words(events: list[dict[str, Any]], field: str) -> str | None:
    """What was told at registration; None once erased."""
    words: str | None = (events[0]["texts"] or {}).get(field)
    return words


def _reporter(row: _Reporter) -> dict[str, str | None]:
    return {
        "name": keys.shown(row.name_sealed, keys.at("person_as_given.name_sealed", row.matter_id)),
        "phone": keys.shown(row.phone_sealed, keys.at("citizen.phone_sealed", row.citizen_id)),
    }


def _in_full(event: dict[str, Any]) -> dict[str, Any]:
    return event | {
        "label": Action(event["action"]).chinese,
        "texts": event["texts"] or {},
        "photos": event["data"].get("photos") or [],
    }


def _clock(clock: Clock, unit: str) -> dict[str, Any]:
    pauses = deadlines.read_pauses(clock)
    return {
        "stage": clock.stage,
        "stage_label": clock.stage.chinese,
        "unit": unit,
        "round": clock.round,
        "started_at": clock.started_at,
        "due_at": clock.due_at,
        "remind_at": clock.remind_at,
        "yellow_at": clock.yellow_at,
        "red_at": clock.red_at,
        "rule": clock.rule,
        "limit": Limit.parse(clock.limit).chinese,
        "extension": None if clock.extension is None else Limit.parse(clock.extension).chinese,
        "provisional": clock.provisional,
        "paused": clock.ended_at is None and bool(pauses) and pauses[-1][1] is None,
        "held_at": clock.held_at,
        "ended_at": clock.ended_at,
    }


def _paused_hours(clocks: Iterable[Clock], now: datetime) -> float:
    """How long the case's own stages stood still, one after the other, in all its rounds."""
    own = (one for one in clocks if one.stage in deadlines.OF_THE_CASE)
    paused = sum((deadlines.paused_time(one, now) for one in own), timedelta())
    return round(paused / timedelta(hours=1), 2)


def _papers(
    matter_id: UUID, ref: str, received_at: datetime, rows: Iterable[Mapping[str, Any]] | None
) -> list[dict[str, Any]]:
    """The receipt, which every case has, and what was issued since."""
    receipt = {
        "id": matter_id,
        "kind": PaperKind.RECEIPT,
        "label": PaperKind.RECEIPT.chinese,
        "number": ref,
        "issued_at": received_at,
    }
    return [receipt, *(_paper(one) for one in rows or ())]


def _paper(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": row["id"],
        "kind": row["kind"],
        "label": PaperKind(row["kind"]).chinese,
        "number": papers.named(row["prefix"], row["year"], row["number"]),
        "issued_at": row["issued_at"],
    }


def _told(row: _Story, events: list[dict[str, Any]]) -> dict[str, Any]:
    """Where the case was joined to another, it stands as the other does, under its own number and in its reporter's words."""
    there = row.joined_to
    at = row if there is None else there
    steps = events if there is None else sorted(events + there.events, key=_when)
    return {
        "ref": row.ref,
        "title": row.title,
        "phase": at.phase,
        "phase_label": at.phase.chinese,
        "merged": there is not None,
        "waiting": at.waiting,
        "holder": at.holder,
        "first_unit": row.first_unit,
        "received_at": row.received_at,
        "answered_at": at.answered_at,
        "outcome": None if at.outcome is None else at.outcome.chinese,
        "timeline": [_in_citizens_words(event, row.first_unit) for event in steps],
        "review": None if row.sealed or there is not None else _review(events),
        "next": _next(at),
    }


def _next(at: _Story | _Primary) -> dict[str, Any] | None:
    """What comes next and by when, as long as the case is open; without a time where the limits stand still."""
    if at.phase not in _OPEN:
        return None
    words = _NEXT.get(at.stage) if at.stage is not None else None
    if at.waiting is not None or words is None:
        words = _WHILE_WAITING.get(at.waiting or "", "{unit}正在办理")
    is_running = at.waiting is None and at.stage is not None
    return {
        "what": words.format(unit=at.holder),
        "by": at.stage_due_at if is_running else None,
        "answer_by": at.due_at if at.waiting is None else None,
    }


def _when(event: Mapping[str, Any]) -> datetime:
    return datetime.fromisoformat(event["at"])


def _review(events: Iterable[Mapping[str, Any]]) -> dict[str, Any] | None:
    """What may be asked of the last answer and until when, or what is under way; None where neither."""
    last = next((one for one in reversed(list(events)) if one["action"] in _REVIEWS), None)
    if last is None:
        return None
    next_, open_ = _REVIEWS[Action(last["action"])]
    until = last["review_until"]
    if until is None and last["action"] == Action.ANSWER:
        # Answers from before the record told it.
        until = deadlines.review_until(datetime.fromisoformat(last["at"]))
    if open_ is None and until is None:
        return None
    return {"open": open_, "may_ask": next_, "until": until}


def _in_citizens_words(event: Mapping[str, Any], first_unit: str) -> dict[str, Any]:
    action = Action(event["action"])
    told = action.timeline_text.format(
        unit=event["unit"] or "",
        to=event["to"] or "",
        first=first_unit,
        corrected=_corrected(event["corrected"]),
        decision="" if event["decision"] is None else ReviewOutcome(event["decision"]).chinese,
    )
    texts = {
        field: words
        for field, words in (event["texts"] or {}).items()
        if field in _TOLD_TO_REPORTER
        or (field == "reason" and action.reason_is_public)
        or (field == "note" and action is Action.PRESS)
    }
    return {
        "at": event["at"],
        "action": action,
        "label": told,
        "unit": event["unit"],
        "texts": texts,
        "photos": event.get("photos") or [],
    }


def _corrected(data: Mapping[str, Any] | None) -> str:
    """What a case is now instead of what it was; how its categories were called then."""
    if data is None:
        return ""
    old, new = data["old"], data["new"]
    told = []
    if new["kind"] != old["kind"]:
        told.append(f"性质由“{Kind(old['kind']).chinese}”改为“{Kind(new['kind']).chinese}”")
    if new["category_id"] != old["category_id"]:
        was = "" if old["category"] is None else f"由“{old['category']}”"
        told.append(f"分类{was}改为“{new['category']}”")
    if new["urgent"] != old["urgent"]:
        told.append("改为紧急" if new["urgent"] else "改为不紧急")
    return "，".join(told)
