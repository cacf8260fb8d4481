"""Harms that can be done to the data of an answered case, by hand and past every guard, and what then is to be found.

Knows nothing of who looks for them. `[ref]` and `[id]` are the case, `[joined_ref]` and `[joined_id]` one joined to it.
"""

from typing import Final

from tests.harms import cards, cases, phrases, pins, record, surveys, texts
from tests.harms.harm import OVERDUE as OVERDUE
from tests.harms.harm import Harm
from tests.harms.months import MONTH_HARMS as MONTH_HARMS

HARMS: Final[tuple[Harm, ...]] = (
    *record.HARMS, *cards.HARMS, *texts.HARMS, *surveys.HARMS, *cases.HARMS, *pins.HARMS, *phrases.HARMS,
)  # fmt: skip
