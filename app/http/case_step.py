"""A step on a case over HTTP: on which case, by whom, at which moment, and from which version of the case."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Generic, Self, TypeVar

from fastapi import Header, Path, Response

from app.auth.actor import CitizenActor, StaffActor
from app.cases.dossier import Dossier
from app.db import Transaction
from app.errors import Changed
from app.http.cases import CaseStateOut, state_of
from app.http.inputs import Ref

ETAG: dict[str, Any] = {
    "ETag": {"description": "事件的版本，可用于 If-Match", "schema": {"type": "string"}}
}
CASE_AFTER_ACTION: dict[str, Any] = {"description": "操作后的事件", "headers": ETAG}
CaseRef = Annotated[Ref, Path(description="事件编号", examples=["500153-261122-48392017"])]
IfMatch = Annotated[
    str | None,
    Header(
        alias="If-Match",
        # A proxy that compresses makes a tag weak (W/); a version is one either way.
        pattern=r'^(W/)?"[0-9]{1,9}"$',
        description="您所看到的版本（见 version 与 ETag）。此后事件若已有变化，则操作不生效，答 412。",
        examples=['"3"'],
    ),
]
By = TypeVar("By", bound=StaffActor | CitizenActor, covariant=True)


@dataclass(frozen=True, slots=True)
class CaseStep(Generic[By]):
    """What every action needs; `now` is the moment it is decided by."""

    tx: Transaction
    ref: str
    by: By
    now: datetime


@dataclass(frozen=True, slots=True)
class StaffStep(CaseStep[StaffActor]):
    """`seen` is the version that the step was decided on, where the request names one."""

    seen: int | None
    response: Response

    @classmethod
    async def begin(
        cls, tx: Transaction, ref: str, by: StaffActor, response: Response, seen: str | None
    ) -> Self:
        version = None if seen is None else int(seen.removeprefix("W/").strip('"'))
        return cls(tx, ref, by, await tx.now(), version, response)

    def respond(self, dossier: Dossier) -> CaseStateOut:
        """The case as the action left it.

        Raises Changed, which undoes the action, where somebody else's came in between: the case was locked before the
        action and every action makes one entry, so the count tells.
        """
        if self.seen is not None and dossier.matter.head_seq != self.seen + 1:
            raise Changed
        tag(self.response, dossier)
        return state_of(dossier, by=self.by, now=self.now)


def tag(response: Response, dossier: Dossier) -> None:
    response.headers["ETag"] = f'"{dossier.matter.head_seq}"'
