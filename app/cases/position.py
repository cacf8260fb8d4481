"""Where a case is on the map, as it was told: kept as one of the texts of the first entry, so that it can be erased. Pure."""

from typing import Any, Final, Literal

import msgspec
from msgspec import Struct
from msgspec.structs import asdict

# Name of the record text with the position. Timelines do not list it among the words.
FIELD: Final = "position"

Datum = Literal["wgs84", "gcj02"]


class Position(Struct, frozen=True):
    """Degrees, and the metres that they may be wrong by."""

    latitude: float
    longitude: float
    accuracy_m: int
    datum: Datum

    def written(self) -> str:
        return msgspec.json.encode(self).decode()


def read(written: str | None) -> dict[str, Any] | None:
    """None where none was told or it was erased."""
    return None if written is None else asdict(msgspec.json.decode(written, type=Position))
