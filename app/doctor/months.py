"""Invariants of month ends: nothing locked is altered, it adds up with its corrections, and nobody learns who said what."""

from typing import Final

from sqlalchemy import text

from app.doctor.invariant import Invariant, Reach
from app.reports.correcting import LATE_CARDS
from app.reports.satisfaction import LATE_READINGS

# The worker looks once an hour.
_CARD_FOLLOWED: Final = text(f"""
{LATE_CARDS} AND CASE late.cause WHEN 'card_issued' THEN k.issued_at ELSE k.revoked_at END
  < CAST(:now AS timestamptz) - interval '2 hours'
ORDER BY m.county_id, m.month, k.id LIMIT :most
""")
_READING_FOLLOWED: Final = text(f"""
SELECT late.county_id, late.month, late.survey_id FROM ({LATE_READINGS}) late
WHERE late.handled_at < CAST(:now AS timestamptz) - interval '2 hours'
ORDER BY late.county_id, late.month, late.survey_id LIMIT :most
""")  # noqa: S608 - a constant of ours
# Whatever day of the next month months are locked on.
_KEPT_UP: Final = text("""
SELECT m.county_id, max(m.month) AS last_month FROM month_end m GROUP BY m.county_id
HAVING max(m.month) + interval '3 months' < CAST(:now AS timestamptz) ORDER BY m.county_id LIMIT :most
""")

MONTHS_VERIFY: Final = Invariant(
    6,
    "locked_months_verify",
    "已锁定的月份及其更正没有被改动",
    "the month `month` of the county `county_id`, or its correction number `correction`, is not what was locked",
    Reach.CODE,
)
MONTHS_ADD_UP: Final = Invariant(
    6,
    "locked_months_add_up",
    "已锁定的数字加上更正，与记录推算一致",
    "of `month` the record now says `counted`, locked and recounted is `locked`: a supervisor should have it recounted",
    Reach.CODE,
)
RELEASED: Final = Invariant(
    8,
    "released_tells_of_nobody",
    "反馈给单位的评价，看不出是谁评的",
    "what was released to `unit_id` for `month` is not what may be told of its evaluations",
    Reach.CODE,
)
MONTHS: Final = (
    Invariant(
        2,
        "late_cards_are_followed",
        "锁定后补发和撤销的牌，都已更正到当月",
        "the card `card_id` was issued or revoked after `month` was cut off, and the month does not say so: do the workers run?",
        Reach.WHOLE,
        _CARD_FOLLOWED,
    ),
    Invariant(
        5,
        "late_readings_are_followed",
        "截止后才判读的评价，都已更正到当月",
        "words about the survey `survey_id` came before `month` was cut off and were read after it, and the month does not say so: do the workers run?",
        Reach.WHOLE,
        _READING_FOLLOWED,
    ),
    Invariant(
        6,
        "months_are_kept_up",
        "到期的月份都已月结",
        "the county `county_id` has locked nothing since `last_month`: do the workers run?",
        Reach.WHOLE,
        _KEPT_UP,
    ),
    MONTHS_VERIFY,
    MONTHS_ADD_UP,
    RELEASED,
)
