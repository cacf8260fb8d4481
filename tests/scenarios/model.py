"""A case as somebody with a notebook would follow it: the tiers, the phases, who may do what, and what then runs.

Imports nothing of the application: what is compared with it is not what it is made of.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from tests.scenarios.limits import (
    HEARD,
    RED_AFTER,
    URGENT_RED_AFTER,
    WITHOUT_CARDS,
    Run,
    end_after,
)
from tests.scenarios.standing import (
    ASSIST_DAYS,
    CENTER,
    DECISION_DAYS,
    HELPER,
    LAW_MORE,
    LEAD,
    MORE_DAYS,
    REPLY_DAYS,
    SIGN_DAYS,
    SUPPLEMENT_DAYS,
    UP,
    VILLAGE,
    WAIT_DAYS,
    Standing,
)


@dataclass
class Model(Standing):
    """What becomes of it by each act."""

    def sweep(self, now: datetime) -> None:
        """What the system does by itself: cards, and an end to waits that are over."""
        for one in self.runs:
            if one.stage not in WITHOUT_CARDS:
                self.cards += one.cards(now)
        for wait in self.running("supplement", "waiting"):
            over = wait.card_at("yellow")
            if over is not None and over <= now - HEARD:
                self._go_on(now)
                self.resumed_by_itself += 1

    def does(self, action: str, who: str, now: datetime) -> None:
        getattr(self, f"_{action}")(who, now)

    def _escalate(self, who: str, now: datetime) -> None:
        self._hand_on(CENTER if self.returns > 1 else UP[who], now)

    def _send_down(self, who: str, now: datetime) -> None:
        self._hand_on(CENTER if self.returns and who != CENTER else VILLAGE, now)
        self.returns += 1

    def _handle(self, who: str, now: datetime) -> None:
        called = [(self.kind, self.urgent)]
        if self.renamed is not None and self.renamed[0] == who != CENTER:
            called.append(self.renamed[1])
        # By the name that gives less time, where it changed the name itself.
        kept = min(called, key=lambda one: self._days("handle", one))
        self._begin_handling({who: True}, now, own=True, called=kept)

    def _dispatch(self, _who: str, now: datetime) -> None:
        self._give(LEAD, now)

    def _dispatch_to_itself(self, who: str, now: datetime) -> None:
        self._give(who, now)

    def _give(self, lead: str, now: datetime) -> None:
        self._begin_handling({lead: False, HELPER: False}, now, own=False)
        self._run("sign", lead, now, SIGN_DAYS)
        self._run("sign", HELPER, now, SIGN_DAYS)
        self._run("assist", HELPER, now, ASSIST_DAYS)

    def _change_lead(self, _who: str, now: datetime) -> None:
        new = self.next_lead()
        for unit in (self.holder, new):
            if unit in self.parts:
                self._part_over(unit, now)
        self._stage_over(now)
        self.holder, self.own = new, False
        self._part(new, now)
        self._own_stage("handle", (self.kind, self.urgent), now)

    def _add_assistant(self, _who: str, now: datetime) -> None:
        new = self.next_assistant()
        self._part(new, now)
        self._run("assist", new, now, ASSIST_DAYS)

    def _part(self, unit: str, now: datetime) -> None:
        self.parts[unit], self.assigned_at[unit] = False, now
        self.given.add(unit)
        self.objected.discard(unit)
        self._run("sign", unit, now, SIGN_DAYS)

    def _excuse(self, _who: str, now: datetime) -> None:
        self._part_over(self.assistants()[0], now)

    def _stand_still(self, why: str, now: datetime, days: int) -> None:
        self.waiting = why
        self.stage.still.append((now.date(), None))
        self._run(why, self.holder, now, days)

    def _go_on(self, now: datetime) -> None:
        since, _ = self.stage.still.pop()
        self.stage.still.append((since, now.date()))
        self._end(now, "supplement", "waiting")
        self.waiting = None

    def _request_supplement(self, who: str, now: datetime) -> None:
        self.last_asked = who
        self._stand_still("supplement", now, SUPPLEMENT_DAYS)

    def _supply(self, _who: str, now: datetime) -> None:
        self._go_on(now)

    def _decline(self, _who: str, now: datetime) -> None:
        self._over("declined", now)

    def _object_refusal(self, _who: str, now: datetime) -> None:
        self.objected_to_refusal = True
        # It goes on from where it began.
        for one in self.runs:
            if one.stage in ("whole", "statutory"):
                one.ended = None
        self._hand_on(UP[self.holder], now)

    def _sign(self, who: str, now: datetime) -> None:
        self.parts[who] = True
        self._end(now, "sign", unit=who)

    def _hand_back(self, who: str, now: datetime) -> None:
        self.objected.add(who)
        self._end(now, "sign", unit=who)
        self._hold(who, now)
        self.undecided[who] = self._run("hand_back_decision", CENTER, now, DECISION_DAYS)

    def _settled(self, now: datetime) -> str:
        unit = min(self.undecided)
        self.undecided.pop(unit).ended = now
        return unit

    def _agree(self, _who: str, now: datetime) -> None:
        unit = self._settled(now)
        self.returns += 1
        if unit == self.holder:
            self._hand_on(CENTER, now)
        else:
            self._part_over(unit, now)

    def _refuse(self, _who: str, now: datetime) -> None:
        unit = self._settled(now)
        self._hold(unit, None)
        if not self.parts[unit]:
            self._run("sign", unit, now, SIGN_DAYS)

    def _add(self, _who: str, _now: datetime) -> None:
        """The reporter tells more; nothing moves."""

    def _progress(self, _who: str, _now: datetime) -> None:
        """Nothing but an entry."""

    def _assist_answer(self, who: str, now: datetime) -> None:
        # Who does it after all had it all the time.
        self._hold(who, None)
        self._part_over(who, now)

    def _answer(self, _who: str, now: datetime) -> None:
        self._over("answered", now)

    def _withdraw(self, _who: str, now: datetime) -> None:
        self._over("withdrawn", now)

    def _extend(self, _who: str, now: datetime) -> None:
        self.extension_asked = True
        self._run("extension_decision", self.decider() or "", now, DECISION_DAYS)

    def _refuse_extension(self, _who: str, now: datetime) -> None:
        self.extension_asked, self.extended = False, True
        self._end(now, "extension_decision")

    def _grant_extension(self, who: str, now: datetime) -> None:
        for one in self.running("handle", "whole"):
            if not one.overdue(now):
                one.more = MORE_DAYS
        for law in self.running("statutory"):
            dues = [one.due() for one in [*self.running("handle", "whole"), law]]
            days = (max(due for due in dues if due) - (law.due() or now)).days
            if not law.overdue(now) and not law.more:
                law.more = min(days, LAW_MORE)
        self._refuse_extension(who, now)

    def _wait(self, _who: str, now: datetime) -> None:
        self.wait_until = now.date() + timedelta(days=WAIT_DAYS)
        self._run("wait_decision", self.decider() or "", now, DECISION_DAYS)

    def _refuse_wait(self, _who: str, now: datetime) -> None:
        self.wait_until = None
        self._end(now, "wait_decision")

    def _grant_wait(self, who: str, now: datetime) -> None:
        assert self.wait_until is not None
        self._stand_still("waiting", now, (self.wait_until - now.date()).days)
        self._refuse_wait(who, now)

    def _resume(self, _who: str, now: datetime) -> None:
        self._go_on(now)

    def _supervise(self, _who: str, now: datetime) -> None:
        self._run("supervised_reply", self.holder, now, REPLY_DAYS)

    def _reply_supervision(self, _who: str, now: datetime) -> None:
        self._end(now, "supervised_reply")

    def _list(self, _who: str, _now: datetime) -> None:
        self.listed = True

    def _unlist(self, _who: str, _now: datetime) -> None:
        self.listed = False

    def _call_urgent(self, who: str, now: datetime) -> None:
        self._call(self.kind, not self.urgent, who, now)

    def _call_question(self, who: str, now: datetime) -> None:
        self._call("help" if self.kind == "question" else "question", self.urgent, who, now)

    def _call(self, kind: str, urgent: bool, who: str, now: datetime) -> None:
        if self.renamed is None or self.renamed[0] != who:
            self.renamed = who, (self.kind, self.urgent)
        self.kind, self.urgent = kind, urgent
        least = end_after(now, 1, [])
        assert least is not None
        for one in self.running("judge", "handle", "whole"):
            may_be_later = who == CENTER and one.stage != "whole"
            if not one.overdue(now):
                self._remeasure(one, now, least, may_be_later=may_be_later)

    def _remeasure(self, one: Run, now: datetime, least: datetime, *, may_be_later: bool) -> None:
        days = self._days(one.stage)
        had, has = one.if_days_were(one.days, now), one.if_days_were(days, now)
        if has < min(had, least):
            days = next(more for more in range(1000) if one.if_days_were(more, now) >= least)
            has, may_be_later = one.if_days_were(days, now), False
        if has < had or may_be_later:
            one.days, one.red_after = days, URGENT_RED_AFTER if self.urgent else RED_AFTER

    # What comes with it.

    def _hold(self, unit: str, since: datetime | None) -> None:
        own = self.running("handle") if unit == self.holder else self.running("assist", unit=unit)
        for one in own:
            one.held = since

    def _part_over(self, unit: str, now: datetime) -> None:
        self.parts.pop(unit)
        self._end(now, "sign", "assist", unit=unit)
        if unit in self.undecided:
            self.undecided.pop(unit).ended = now

    def _stage_over(self, now: datetime) -> None:
        """With the stage ends all that was asked for in it."""
        self._end(
            now, "judge", "handle", "supplement", "waiting", "extension_decision", "wait_decision"
        )
        self.waiting, self.wait_until, self.extension_asked = None, None, False

    def _hand_on(self, holder: str, now: datetime) -> None:
        for unit in list(self.parts):
            self._part_over(unit, now)
        self._stage_over(now)
        self.phase, self.holder, self.own = "pending", holder, False
        self._own_stage("judge", (self.kind, self.urgent), now)

    def _own_stage(self, stage: str, called: tuple[str, bool], now: datetime) -> None:
        run = self._run(stage, self.holder, now, self._days(stage, called))
        run.red_after = URGENT_RED_AFTER if called[1] else RED_AFTER

    def _begin_handling(
        self,
        parts: dict[str, bool],
        now: datetime,
        *,
        own: bool,
        called: tuple[str, bool] | None = None,
    ) -> None:
        for unit in list(self.parts):
            self._part_over(unit, now)
        self._stage_over(now)
        self._end(now, "inform")
        self.phase, self.parts, self.own = "handling", parts, own
        self.assigned_at, self.given = dict.fromkeys(parts, now), set() if own else set(parts)
        self.holder, self.objected = next(iter(parts)), set()
        self._own_stage("handle", called or (self.kind, self.urgent), now)

    def _over(self, phase: str, now: datetime) -> None:
        self._end(now)
        self.undecided.clear()
        self.phase, self.parts = phase, {}
        self.waiting, self.wait_until, self.extension_asked = None, None, False
