"""Invariants of PINs: each ends with its holder and post, and opens only its holder's sessions."""

from typing import Final

from sqlalchemy import text

from app.doctor.invariant import Invariant, Reach

# A post that ended by its date revokes nothing: the PIN is refused by the date (app/auth/pins.py).
_END_WITH_THEIR_HOLDER = text("""
SELECT k.id AS pin_id, k.staff_id, k.post_id FROM staff_pin k
JOIN staff p ON p.id = k.staff_id JOIN post o ON o.id = k.post_id
WHERE k.revoked_at IS NULL AND (NOT p.active OR o.staff_id <> k.staff_id) ORDER BY k.id LIMIT :most
""")
_OPEN_OWN_SESSIONS = text("""
SELECT s.id AS session_id, k.id AS pin_id FROM session s JOIN staff_pin k ON k.id = s.pin_id
WHERE s.staff_id IS DISTINCT FROM k.staff_id OR s.device_digest IS NULL OR s.created_at < k.set_at
ORDER BY s.id LIMIT :most
""")

PINS: Final[tuple[Invariant, ...]] = (
    Invariant(
        8,
        "pins_end_with_their_holder",
        "停用人员的 PIN 都已停用",
        "the PIN `pin_id` still counts, and the person `staff_id` is disabled or does not have the post `post_id`",
        Reach.WHOLE,
        _END_WITH_THEIR_HOLDER,
    ),
    Invariant(
        8,
        "pins_open_sessions_of_their_holder",
        "凭 PIN 的登录都属于本人",
        "the session `session_id` was opened with the PIN `pin_id` of somebody else, on no device, or before it was set",
        Reach.WHOLE,
        _OPEN_OWN_SESSIONS,
    ),
)
