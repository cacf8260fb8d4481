"""What a harm is, and what several of them begin with. Knows nothing of who looks for them."""

from typing import Any, Final, TypeAlias

# The invariant it breaks, the statements that do it, and a part of the row that names it.
Harm: TypeAlias = tuple[str, tuple[str, ...], dict[str, Any]]

# The stage of handling has run out, and the unit that holds it got its yellow card.
OVERDUE: Final = (
    """UPDATE clock SET due_at = now() - interval '3 days', yellow_at = now() - interval '3 days' + interval '1 second',
      red_at = now() + interval '3 days', next_at = now() + interval '3 days', steps = 2, ended_at = NULL
    WHERE matter_id = [id] AND stage = 'handle'""",
    """INSERT INTO card (id, matter_id, clock_id, county_id, level, cause, stage, unit_id, unit_name, due_at, effective_at, issued_at, seal)
    SELECT gen_random_uuid(), matter_id, id, county_id, 'yellow', 'overdue', stage, unit_id, '荣隆镇', due_at, yellow_at, now(), ''
    FROM clock WHERE matter_id = [id] AND stage = 'handle'""",
    """UPDATE record_entry e SET action = 'card', body = body || '"card":"' || c.id || '"' FROM card c
    WHERE e.matter_id = [id] AND e.seq = 7 AND c.matter_id = [id]""",
)
