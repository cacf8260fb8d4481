"""Harms to PINs. What `[ref]` and its like stand for says tests/harms."""

from typing import Final

from tests.harms.harm import Harm

_PIN: Final = """INSERT INTO staff_pin (id, staff_id, post_id, device_digest, pin_hash, tries, set_at, expires_at)
  SELECT gen_random_uuid(), o.staff_id, o.id, 'a device', 'a hash', 0, now(), now() + interval '30 days'
  FROM post o JOIN staff p ON p.id = o.staff_id WHERE p.account = 'gongnong'"""

HARMS: Final[tuple[Harm, ...]] = (
    (
        "pins_end_with_their_holder",
        (_PIN, "UPDATE staff SET active = false WHERE account = 'gongnong'"),
        {},
    ),
    (
        "pins_open_sessions_of_their_holder",
        (
            _PIN,
            """INSERT INTO session (id, token_digest, staff_id, post_id, pin_id, device, device_digest, created_at, expires_at)
            SELECT gen_random_uuid(), 'a token', o.staff_id, o.id, k.id, '', k.device_digest, now(), now() + interval '1 hour'
            FROM staff_pin k, post o JOIN staff p ON p.id = o.staff_id WHERE p.account = 'guangshun'""",
        ),
        {},
    ),
)
