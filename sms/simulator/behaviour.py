"""How the simulator treats what it is sent: honestly, or as it was told to misbehave. Pure but for its dice."""

from enum import StrEnum
from random import Random
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

_CODE = r"^(\d{5}|[A-Za-z][A-Za-z_.]{2,59})$"
Probability = Annotated[float, Field(ge=0, le=1)]
Seconds = Annotated[float, Field(ge=0, le=200_000)]


class Treatment(StrEnum):
    """What becomes of one request to send."""

    ACCEPTED = "accepted"
    TOO_MANY = "too_many"
    ERROR_ACCEPTED = "error_accepted"
    ERROR_NOT_ACCEPTED = "error_not_accepted"
    STALL_ACCEPTED = "stall_accepted"
    STALL_NOT_ACCEPTED = "stall_not_accepted"
    REFUSED = "refused"

    @property
    def takes_it(self) -> bool:
        return self in {Treatment.ACCEPTED, Treatment.ERROR_ACCEPTED, Treatment.STALL_ACCEPTED}


class Fate(StrEnum):
    """What is finally reported of a text that was accepted."""

    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    FAILED = "failed"
    SILENT = "silent"


class Behaviour(BaseModel):
    """All zero: an honest provider. Posted as JSON to /control/behaviour; what is left out is as here.

    First a treatment is drawn for the request (their probabilities add up to at most 1, the rest is accepted), then a
    fate for what was accepted. `error_*` answers 500; `stall_*` answers only after `stall_seconds`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    seed: int = 1
    # Only for these numbers; None: for all. Only for so many requests; None: until told otherwise.
    phones: Annotated[frozenset[str], Field(max_length=1000)] | None = None
    times: Annotated[int, Field(ge=1)] | None = None

    too_many: Probability = 0
    error_accepted: Probability = 0
    error_not_accepted: Probability = 0
    stall_accepted: Probability = 0
    stall_not_accepted: Probability = 0
    stall_seconds: Seconds = 30
    # The provider's error code -> probability, e.g. {"21610": 1} or {"isv.OUT_OF_SERVICE": 1}.
    refused: dict[Annotated[str, Field(pattern=_CODE)], Probability] = Field(
        default_factory=dict, max_length=50
    )

    undelivered: Probability = 0
    failed: Probability = 0
    silent: Probability = 0
    failure_code: (
        Annotated[int, Field(ge=10000, le=99999)] | Annotated[str, Field(pattern=_CODE)]
    ) = 30008

    # The webhooks: each sent `copies` times at once, the reports of a text last first, late, before the request that
    # caused them is answered, or wrongly signed (where nothing is signed: to a wrong address). `lost`: a text comes to its
    # end, which is told to whoever asks, and no report of it is ever sent.
    lost: bool = False
    copies: Annotated[int, Field(ge=1, le=50)] = 1
    reorder: bool = False
    report_delay_seconds: Seconds = 0.3
    report_before_answer: bool = False
    signature: Literal["valid", "wrong", "missing"] = "valid"

    @model_validator(mode="after")
    def _probabilities_add_up(self) -> Self:
        if (
            sum(weight for _, weight, _ in self.treatments()) > 1
            or self.undelivered + self.failed + self.silent > 1
        ):
            raise ValueError("the probabilities add up to more than 1")
        return self

    def treatments(self) -> list[tuple[Treatment, float, str]]:
        """Each with its probability and, for a refusal, the error code."""
        return [
            (Treatment.TOO_MANY, self.too_many, "20429"),
            (Treatment.ERROR_ACCEPTED, self.error_accepted, "20500"),
            (Treatment.ERROR_NOT_ACCEPTED, self.error_not_accepted, "20500"),
            (Treatment.STALL_ACCEPTED, self.stall_accepted, "20500"),
            (Treatment.STALL_NOT_ACCEPTED, self.stall_not_accepted, "20500"),
            *((Treatment.REFUSED, weight, code) for code, weight in self.refused.items()),
        ]

    def fates(self) -> list[tuple[Fate, float]]:
        return [
            (Fate.UNDELIVERED, self.undelivered),
            (Fate.FAILED, self.failed),
            (Fate.SILENT, self.silent),
        ]


HONEST = Behaviour()


class Dice:
    """A behaviour with its random numbers and what is left of its `times`."""

    def __init__(self, behaviour: Behaviour) -> None:
        self.behaviour = behaviour
        self._random = Random(behaviour.seed)  # noqa: S311 - repeatable on purpose
        self._left = behaviour.times

    def behaviour_for(self, phone: str) -> Behaviour:
        """The behaviour for one request concerning this number; counts it."""
        if self.behaviour.phones is not None and phone not in self.behaviour.phones:
            return HONEST
        if self._left is not None:
            if self._left == 0:
                return HONEST
            self._left -= 1
        return self.behaviour

    def treatment(self, behaviour: Behaviour) -> tuple[Treatment, str]:
        drawn = self._random.random()
        for treatment, weight, code in behaviour.treatments():
            if drawn < weight:
                return treatment, code
            drawn -= weight
        return Treatment.ACCEPTED, ""

    def fate(self, behaviour: Behaviour) -> Fate:
        drawn = self._random.random()
        for fate, weight in behaviour.fates():
            if drawn < weight:
                return fate
            drawn -= weight
        return Fate.DELIVERED
