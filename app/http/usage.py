"""The usage counters of a request: by person, number or address, when residents and staff create something (app/usage.py)."""

from typing import Annotated

from fastapi import Depends, Request

from app import usage
from app.auth.actor import CitizenActor, StaffActor, owner_of
from app.http.transaction import transaction_of
from app.http.who import citizen, reads_key
from app.limits.terms import Kind
from app.usage import Counted, Purpose


def by_staff(by: StaffActor, phone: str | None, kind: Kind) -> tuple[Counted, ...]:
    """A report that staff enter, for somebody with this number (E.164).

    An accusation does not count for its number: a limit reached sooner would tell of it.
    """
    own = Counted(Purpose.REPORTS_OF_STAFF, owner_of(by))
    if phone is None or kind is Kind.ACCUSATION:
        return (own,)
    return (own, Counted(Purpose.REPORTS_ABOUT_NUMBER, phone))


def by_citizen(by: CitizenActor, address_key: bytes) -> tuple[Counted, ...]:
    """A report of a resident's own. Who signs in does so by a number, so the person is the number."""
    return (
        Counted(Purpose.REPORTS_OF_RESIDENT, owner_of(by)),
        Counted(Purpose.REPORTS_FROM_ADDRESS, address_key),
    )


@reads_key
async def acting_citizen(request: Request) -> CitizenActor:
    """A request that was answered before under its key is not counted: it has been answered again by now."""
    by, tx = await citizen(request), transaction_of(request)
    await usage.count(tx, Counted(Purpose.ACTS_OF_RESIDENT, owner_of(by)), now=await tx.now())
    return by


ActingCitizen = Annotated[CitizenActor, Depends(acting_citizen)]
