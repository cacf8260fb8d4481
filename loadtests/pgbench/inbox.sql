-- The rows of one page of an inbox: who asks, and the next 51 cases that wait for the unit's judgement, with their names.
SELECT u.id AS unit FROM session s JOIN staff p ON p.id = s.staff_id JOIN post o ON o.id = s.post_id
  JOIN unit u ON u.id = o.unit_id WHERE s.token_digest = decode(:digest, 'hex') AND s.revoked_at IS NULL AND s.expires_at > now() \gset
SELECT c.id, c.ref, c.title, c.kind, c.phase, c.urgent, c.sealed, c.waiting, h.name, v.name, c.round, c.returns, c.presses,
  c.received_at, c.due_at, c.stage_due_at
FROM grievance c JOIN unit h ON h.id = c.holder_unit_id LEFT JOIN unit v ON v.id = c.village_id
WHERE c.holder_unit_id = :unit AND c.phase = 'pending' ORDER BY c.stage_due_at, c.id LIMIT 51;
