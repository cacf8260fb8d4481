"""What every action on a case shares over HTTP: who takes the step, in which transaction, from which version of the case."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import Depends, Header, Path, Response

from app.auth.actor import StaffActor
from app.cases.dossier import Dossier
from app.db import Transaction
from app.errors import (
    ActionNotAllowed,
    Changed,
    KeyReused,
    NobodyMaySee,
    NotFound,
    Problem,
    SignInRequired,
)
from app.http.cases import CaseStateOut, state_of
from app.http.inputs import Ref
from app.http.problems import problems
from app.http.transaction import Tx
from app.http.who import ByStaff

ETAG: dict[str, Any] = {
    "ETag": {"description": "事件的版本，可用于 If-Match", "schema": {"type": "string"}}
}
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


@dataclass(frozen=True, slots=True)
class CaseStep:
    """An action being taken. `now` is the moment it is decided by, `seen` the version it was decided on, if told."""

    tx: Transaction
    by: StaffActor
    now: datetime
    seen: int | None
    response: Response

    def taken(self, dossier: Dossier) -> CaseStateOut:
        """The case as the action left it.

        Raises Changed, which undoes the action, where somebody else's came in between: the case was locked before the
        action and every action makes one entry, so the count tells.
        """
        if self.seen is not None and dossier.case.event_seq != self.seen + 1:
            raise Changed
        tag(self.response, dossier)
        return state_of(dossier, by=self.by, now=self.now)


def tag(response: Response, dossier: Dossier) -> None:
    response.headers["ETag"] = f'"{dossier.case.event_seq}"'


async def _step(tx: Tx, by: ByStaff, response: Response, seen: IfMatch = None) -> CaseStep:
    version = None if seen is None else int(seen.removeprefix("W/").strip('"'))
    return CaseStep(tx, by, await tx.now(), version, response)


Step = Annotated[CaseStep, Depends(_step)]


def answers(*kinds: type[Problem]) -> dict[int | str, dict[str, Any]]:
    """For `responses=` of an action: what any action may answer, and the further problems named."""
    return {
        200: {"description": "操作后的事件", "headers": ETAG},
        **problems(
            SignInRequired, NotFound, ActionNotAllowed, NobodyMaySee, Changed, KeyReused, *kinds
        ),
    }
