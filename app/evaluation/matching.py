"""Which of a person's questions a text answers, from what was put to them and how. Pure, and never a guess.

A question that went out by text goes before one somebody calls about: who texts answers what they were texted.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.evaluation.answers import AnswerState
from app.evaluation.terms import CallCause


@dataclass(frozen=True, slots=True)
class Candidate:
    """A question as it stands, which may be over. `texted`: it went out by text, and as far as is known it may have arrived."""

    standing: AnswerState
    texted: bool

    def by_text(self, now: datetime) -> bool:
        """Whether the text is how they were asked then. A reply that nobody could read leaves it so, whoever calls about it."""
        call = self.standing.call
        by_call = call is not None and call.cause is not CallCause.UNREAD and call.created_at <= now
        return self.texted and not by_call

    def lapsed(self, now: datetime) -> bool:
        """Whether it was put by text and nobody answered it in time."""
        ends_at = self.standing.survey.window_ends_at
        unanswered = self.standing.answer is None
        return self.texted and unanswered and ends_at is not None and ends_at < now


def meant(
    candidates: Sequence[Candidate], short_number: int | None, now: datetime
) -> AnswerState | None:
    """What is open by text, else what was answered last, else what they are called about. A short number names one, whichever.

    None: there is nothing to answer, or several and no telling which (`several`).
    """
    if short_number is not None:
        return _named(candidates, short_number, now)
    open_ = [one for one in candidates if one.standing.open(now)]
    by_text = [one.standing for one in open_ if one.by_text(now)]
    if by_text:
        return _only(by_text)
    answered = _answered_last_first(candidates, now)
    if answered:
        return answered[0]
    # What nobody has put to them yet, by text or call, may be left alone: late words are about what they were asked before.
    if any(one.lapsed(now) for one in candidates) and not all(one.standing.call for one in open_):
        return None
    return _only([one.standing for one in open_])


def several(candidates: Sequence[Candidate], now: datetime) -> bool:
    """Whether there was something to answer, where nothing was `meant` by a text that named none."""
    return any(one.standing.open(now) for one in candidates)


def _named(candidates: Sequence[Candidate], short_number: int, now: datetime) -> AnswerState | None:
    """The question with this number: an open one, else the one answered last."""
    open_ = [one.standing for one in candidates if one.standing.open(now)]
    named = (*open_, *_answered_last_first(candidates, now))
    return next((one for one in named if one.survey.short_number == short_number), None)


def _answered_last_first(candidates: Sequence[Candidate], now: datetime) -> list[AnswerState]:
    """Questions whose answer may still be put right."""
    answered = [one.standing for one in candidates if one.standing.correctable(now)]
    return sorted(answered, key=_said_at, reverse=True)


def _only(of: Sequence[AnswerState]) -> AnswerState | None:
    """The one there is. Where an answer would not count, whichever is meant, it is kept with the one asked first."""
    one_will_do = len(of) == 1 or all(one.owner.discount for one in of)
    return of[0] if of and one_will_do else None


def _said_at(of: AnswerState) -> datetime:
    assert of.answer is not None, "only what was answered can be put right"
    return of.answer.answered_at
