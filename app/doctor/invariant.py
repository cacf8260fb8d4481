"""An invariant: a statement that must always hold, and the query that finds where it does not."""

from enum import StrEnum
from typing import Final

from msgspec import Struct
from sqlalchemy import TextClause


class Reach(StrEnum):
    """How an invariant is looked at: case by case in batches (`:ids`), in one query, or by code that needs the keys."""

    CASES = "cases"
    WHOLE = "whole"
    CODE = "code"


class Invariant(Struct, frozen=True):
    """`sql` finds offenders, at most `:most`, by ids and references alone: no name, no number, no text.

    It may use `:ids`, `:now`, `:since` (what was due to be sent before is late) and `:swept` (what a clock was to do before).
    """

    number: int
    name: str
    chinese: str
    # What one row that is found says, for who has to see to it.
    a_row_means: str
    reach: Reach
    sql: TextClause | None = None


AMONG: Final = "ANY(CAST(:ids AS uuid[]))"
