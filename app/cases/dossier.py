"""A case with what is needed to decide about it. Reads and writes nothing: surroundings.py fills it (access.py for batches), actions change it.

Here, and for what runs from end to end of a case in case_clock.py, clocks are started, ended, paused and moved; nowhere else.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from msgspec import Struct

from app.auth.actor import Actor, StaffActor
from app.calendars.working_time import Limit
from app.cases.lifecycle import Action
from app.cases.models import Case, Waiting
from app.cases.routing import Place
from app.directory.terms import UnitKind
from app.limits.rules import Rule
from app.limits.terms import Stage
from app.matters import deadlines
from app.matters.clocks import Clock
from app.matters.deadlines import Timing
from app.matters.matter import Matter
from app.matters.parts import OPEN_ASSIGNMENT, Assignment, AssignmentRole, AssignmentState

# The second return of a case is for the common superior to decide.
_DECIDED_ABOVE: Final = 2
_COUNTS = OPEN_ASSIGNMENT | {AssignmentState.ANSWERED}


class Asked(Struct, frozen=True):
    """What the holder asked for and nobody has decided yet: by whom it was asked, and the facts and reason of its entry."""

    staff_id: int
    facts: Mapping[str, Any]
    # None once erased.
    reason: str | None = None


class AnsweredBefore(Struct, frozen=True):
    """Who answered the rounds before, in a round that is done again; `approved`: may answer this one too."""

    staff_ids: list[int]
    approved: bool


@dataclass(slots=True)
class Dossier:
    """A case with what is needed to decide about it (卷宗). `clocks` are those that run, and the whole case's.

    `asked_back_by` tells who of the unit asked that a part be handed back, where nobody has decided about it yet.
    `before` is its state when it was read; `carried_on` tells who carries on for the units that took the case in and ended;
    `others_joined`, that the reporters of other cases wait for what becomes of this one; `arbiter` is the county's command
    center, looked up for a case that was returned before.
    """

    matter: Matter
    case: Case
    holder: Place
    next_tier: Place | None
    assignments: list[Assignment]
    clocks: list[Clock]
    timing: Timing
    unit_names: dict[int, str]
    head_required: frozenset[int]
    asked: Mapping[Action, Asked] = field(default_factory=dict)
    asked_back_by: Mapping[UUID, int] = field(default_factory=dict)
    answered_before: AnsweredBefore | None = None
    carried_on: Mapping[int, int] = field(default_factory=dict)
    others_joined: bool = False
    unit_codes: Mapping[int, str] = field(default_factory=dict)
    arbiter: Place | None = None
    # Who may review the answer, from the next tier up (None: not looked up); and the staff who had a part in any round. Of
    # cases that were answered when they were read.
    reviewing_units: list[Place] | None = None
    worked: frozenset[int] = frozenset()
    before: dict[str, Any] = field(default_factory=dict)
    assignments_before: dict[UUID, dict[str, Any]] = field(default_factory=dict)
    clocks_before: dict[UUID, dict[str, Any]] = field(default_factory=dict)

    @property
    def lead(self) -> Assignment | None:
        return next(
            (
                one
                for one in self.assignments
                if one.role == AssignmentRole.LEAD and one.state in _COUNTS
            ),
            None,
        )

    @property
    def above(self) -> Place | None:
        """Who judges what is escalated: after a second return the command center, past the tiers between."""
        center = self.arbiter
        if center is not None and self.case.returns >= _DECIDED_ABOVE and not self._holds(center):
            return center
        return self.next_tier

    def returned_to(self, below: Place) -> Place:
        """Who judges what is sent down to `below`: a second return the command center, unless it sends it down itself."""
        center = self.arbiter
        again = self.case.returns + 1 >= _DECIDED_ABOVE
        return center if center is not None and again and not self._holds(center) else below

    def _holds(self, place: Place) -> bool:
        return self.holder.unit_id == place.unit_id

    @property
    def first_id(self) -> int:
        """The unit that informs the reporter now: the first one asked, or who carries on for it."""
        first = self.case.first_unit_id
        return self.carried_on.get(first, first)

    @property
    def enterer_id(self) -> int | None:
        """The unit that speaks for the reporter now: whose staff typed it in, or who carries on for them."""
        entered = self.case.entered_by_unit_id
        return None if entered is None else self.carried_on.get(entered, entered)

    @property
    def open_assistants(self) -> list[Assignment]:
        return [
            one
            for one in self.assignments
            if one.role == AssignmentRole.ASSIST and one.state in OPEN_ASSIGNMENT
        ]

    @property
    def decider(self) -> Place | None:
        """Who decides about what the holder asks for: the command center for what it gave, else the next tier.

        Nobody about a sealed case, which is there for its holder alone; nor does a unit decide about itself.
        """
        lead = self.lead
        given = None if lead is None else lead.given_by_unit_id
        if self.case.sealed or given == self.holder.unit_id:
            return None
        if given is not None:
            return Place(given, self.unit_names.get(given, ""), UnitKind.COMMAND_CENTER)
        return self.next_tier

    def review(self, stage: Stage) -> Clock | None:
        """The review or re-examination of this round's answer, decided or not."""
        return next(
            (one for one in self.clocks if one.stage is stage and one.round == self.case.round),
            None,
        )

    @property
    def next_reviewer(self) -> Place | None:
        """The next tier above the unit that answered; of a re-examination, above the one that reviewed.

        Nobody who led or assisted in the round; nobody of a sealed case, which is there for its holder alone.
        """
        if self.case.sealed or self.reviewing_units is None:
            return None
        took_part = {one.unit_id for one in self.assignments if one.state in _COUNTS}
        free = [one for one in self.reviewing_units if one.unit_id not in took_part]
        before = self.review(Stage.REVIEW)
        ids = [one.unit_id for one in free]
        if before is not None and before.unit_id in ids:
            free = free[ids.index(before.unit_id) + 1 :]
        return free[0] if free else None

    def own_part(self, by: Actor) -> Assignment | None:
        """The open assignment of the actor's unit in the present round."""
        if not isinstance(by, StaffActor):
            return None
        return next(
            (
                one
                for one in self.assignments
                if one.unit_id == by.unit_id and one.state in OPEN_ASSIGNMENT
            ),
            None,
        )

    def open_part(self, unit_code: str) -> Assignment | None:
        """The open assignment of the unit of that code in the present round."""
        return next(
            (
                one
                for one in self.assignments
                if one.state in OPEN_ASSIGNMENT and self.unit_codes.get(one.unit_id) == unit_code
            ),
            None,
        )

    def asked_back(self) -> list[Assignment]:
        return [one for one in self.assignments if hand_back_undecided(one)]

    def asked_back_himself(self, part: Assignment, by: Actor) -> bool:
        """In whichever post: what they asked for in one unit they do not decide in the other."""
        return isinstance(by, StaffActor) and self.asked_back_by.get(part.id) == by.staff_id

    def remember(self) -> None:
        """Take the state as it is now for what the next event will be compared with."""
        self.before = self.case.changing()
        self.assignments_before = {one.id: one.changing() for one in self.assignments}
        self.clocks_before = {one.id: one.changing() for one in self.clocks}

    def working(self, part: Assignment) -> Clock | None:
        """The clock by which a unit does its part: of the lead the stage's, of an assistant its own."""
        if part.role is AssignmentRole.LEAD:
            return self.running(Stage.HANDLE)
        return self.running(Stage.ASSIST, part)

    def running(self, stage: Stage, part: Assignment | None = None) -> Clock | None:
        """The clock of that stage that has not ended; of a part's where one is given."""
        return next(
            (
                one
                for one in self.clocks
                if one.stage is stage
                and one.ended_at is None
                and (part is None or one.assignment_id == part.id)
            ),
            None,
        )

    def give_to(self, holder: Place, stage: Stage, now: datetime) -> None:
        """Hand the case over: the holder's stage clock starts now, whenever they get round to it."""
        self.holder = holder
        # Who is above the new holder, nobody has looked up; the tier above the old one must not be offered for it.
        self.next_tier = None
        self.case.holder_unit_id = holder.unit_id
        self.start(stage, now)

    def start(
        self, stage: Stage, now: datetime, *, limit: Limit | None = None, rule: Rule | None = None
    ) -> Clock:
        """Start a stage of the case at the present holder; `limit` overrides the rule's, `rule` the one that would hold."""
        self.end_stage(now)
        if stage is Stage.HANDLE:
            # It has been taken up, and by whom stands where the reporter reads it.
            self.end(self.running(Stage.INFORM), now)
        clock = self.begin(
            stage, self.holder.unit_id, self.holder.kind, now, limit=limit, rule=rule
        )
        case = self.case
        case.stage, case.stage_started_at, case.stage_rule = stage, now, clock.rule
        self.show(clock)
        return clock

    def begin(
        self,
        stage: Stage,
        unit_id: int,
        kind: UnitKind,
        now: datetime,
        *,
        part: Assignment | None = None,
        limit: Limit | None = None,
        rule: Rule | None = None,
    ) -> Clock:
        """Start a clock beside whatever else runs: a signature, an assistant's answer, somebody's decision."""
        case, rule = self.case, rule or self.rule(stage, kind)
        clock = Clock.start(
            rule,
            stage,
            self.timing.calendar,
            matter_id=case.id,
            county_id=case.county_id,
            round_=case.round,
            unit_id=unit_id,
            now=now,
            part_id=None if part is None else part.id,
            limit=limit,
        )
        self.clocks.append(clock)
        return clock

    def rule(self, stage: Stage, kind: UnitKind) -> Rule:
        case = self.case
        return self.timing.rule(stage, tier=kind, kind=case.kind, urgent=case.urgent)

    def end(self, clock: Clock | None, now: datetime) -> None:
        """The stage is over. What it has earned by now it still gets."""
        if clock is not None and clock.ended_at is None:
            clock.ended_at = now
            deadlines.set_next(clock)

    def end_part(self, part: Assignment, now: datetime) -> None:
        for clock in self.clocks:
            if clock.assignment_id == part.id:
                self.end(clock, now)

    def release(self, part: Assignment, now: datetime) -> None:
        """The unit has no part in the case any more; nobody is to blame."""
        part.state, part.done_at = AssignmentState.RELEASED, now
        self.end_part(part, now)

    def release_open(self, now: datetime) -> list[Assignment]:
        """Releases the units that have not finished, because the case itself has moved on; returns their parts."""
        ended = [part for part in self.assignments if part.state in OPEN_ASSIGNMENT]
        for part in ended:
            self.release(part, now)
        return ended

    def end_stage(self, now: datetime) -> None:
        """The case's present stage is over, and with it everything asked for in it."""
        case = self.case
        for clock in self.clocks:
            if clock.stage in deadlines.OF_THE_CASE or clock.stage in _ASKED_IN_A_STAGE:
                self.end(clock, now)
        case.stage = case.stage_started_at = case.stage_due_at = case.stage_rule = None
        case.waiting = case.waiting_since = case.wait_asked_at = case.extension_asked_at = None

    def end_all(self, now: datetime) -> None:
        """Nothing runs on a case that is answered, declined, withdrawn or merged."""
        self.end_stage(now)
        for clock in self.clocks:
            self.end(clock, now)

    def stand_still(
        self, why: Waiting, stage: Stage, now: datetime, *, limit: Limit | None = None
    ) -> None:
        """Pause the present stage; how long that may last is a clock of its own. The whole case's clock goes on."""
        self.case.waiting, self.case.waiting_since = why, now
        for clock in self._pausable():
            deadlines.pause(clock, now)
            deadlines.retime(clock, self.timing.calendar)
        self.begin(stage, self.holder.unit_id, self.holder.kind, now, limit=limit)

    def go_on(self, now: datetime) -> None:
        """The present stage goes on where it stood."""
        self.case.waiting = self.case.waiting_since = None
        for clock in self._pausable():
            deadlines.resume(clock, now)
            deadlines.retime(clock, self.timing.calendar)
            self.show(clock)
        for stage in (Stage.SUPPLEMENT, Stage.WAITING):
            self.end(self.running(stage), now)

    def extend(self, limit: Limit, now: datetime) -> None:
        """By somebody else's decision the present stage, and with it the whole case, has so much longer.

        A due time that was missed stays missed; and what has been extended stays, where a joined case brought it along
        while this was being asked for.
        """
        for clock in self.clocks:
            if clock.ended_at or clock.extension or deadlines.overdue(clock, now):
                continue
            if clock.stage in (Stage.HANDLE, Stage.WHOLE):
                self._extend(clock, limit)

    def extend_law(self, limit: Limit) -> None:
        law = self.running(Stage.STATUTORY)
        assert law is not None, "who calls has looked at it"
        self._extend(law, limit)

    def _extend(self, clock: Clock, limit: Limit) -> None:
        clock.extension = str(limit)
        deadlines.retime(clock, self.timing.calendar)
        self.show(clock)

    def remeasure(self, now: datetime, *, may_be_later: bool) -> None:
        """The case is another than was thought: what it is due by follows from where it began. Parts beside keep their limits.

        `may_be_later` is about the present stage; the whole case is never due later, and the law's time is the same for all.
        """
        for clock in self.clocks:
            own = clock.stage in deadlines.OF_THE_CASE
            if clock.ended_at is not None or not (own or clock.stage is Stage.WHOLE):
                continue
            rule = self.rule(clock.stage, self.holder.kind)
            deadlines.remeasure(
                clock, rule, self.timing.calendar, now, may_be_later=own and may_be_later
            )
            self.show(clock)
            if own:
                self.case.stage_rule = clock.rule

    def retime(self) -> None:
        """Compute anew, by the calendar as it now is, what still runs and what has ended with something yet to come of it."""
        for clock in self.clocks:
            if clock.ended_at is None or clock.provisional or clock.next_at is not None:
                deadlines.retime(clock, self.timing.calendar)
                if clock.ended_at is None:
                    self.show(clock)

    def _pausable(self) -> list[Clock]:
        return [
            one
            for one in self.clocks
            if one.ended_at is None and one.stage in deadlines.OF_THE_CASE
        ]

    def show(self, clock: Clock) -> None:
        """Keep what lists show equal to the clock; while it stands still they show what was promised last."""
        if clock.due_at is None:
            return
        if clock.stage is Stage.WHOLE:
            self.case.due_at = clock.due_at
        elif clock.stage is Stage.STATUTORY:
            self.case.statutory_due_at = clock.due_at
        elif clock.stage in deadlines.OF_THE_CASE:
            self.case.stage_due_at = clock.due_at
        part = self.lead if clock.stage is Stage.HANDLE else self._part_of(clock)
        if part is not None and clock.stage is Stage.SIGN:
            part.sign_due_at = clock.due_at
        elif part is not None and clock.stage in (Stage.ASSIST, Stage.HANDLE):
            part.due_at = clock.due_at

    def _part_of(self, clock: Clock) -> Assignment | None:
        return next((one for one in self.assignments if one.id == clock.assignment_id), None)


_ASKED_IN_A_STAGE = frozenset(
    {Stage.SUPPLEMENT, Stage.WAITING, Stage.EXTENSION_DECISION, Stage.WAIT_DECISION}
)


def hand_back_undecided(part: Assignment) -> bool:
    return (
        part.state in OPEN_ASSIGNMENT
        and part.hand_back_asked_at is not None
        and part.hand_back_settled_at is None
    )
