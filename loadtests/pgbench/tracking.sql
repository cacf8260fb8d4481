-- The rows that tell a reporter how the case stands: the case with its units, and its public entries with their words.
\set n random(1, :tracked)
SELECT c.id, c.ref, c.title, c.phase, c.waiting, c.outcome, c.received_at, c.answered_at, c.tracking_key, h.name, f.name
FROM bench_tracked b JOIN grievance c ON c.ref = b.ref JOIN unit h ON h.id = c.holder_unit_id
  JOIN unit f ON f.id = c.first_unit_id WHERE b.n = :n;
SELECT e.seq, e.at, e.action, u.name, e.body, x.field, x.text
FROM bench_tracked b JOIN grievance c ON c.ref = b.ref JOIN record_entry e ON e.matter_id = c.id AND e.public
  LEFT JOIN unit u ON u.id = e.unit_id LEFT JOIN record_text x ON x.matter_id = e.matter_id AND x.seq = e.seq
WHERE b.n = :n ORDER BY e.seq;
