-- The SQL that one card cannot do without: the lock, the card, its entry, the clock, the head of the record. Of cases that are not due.
\set n random(0, :last)
SELECT lpad(to_hex(:n * 10 + 1), 32, '0') AS id \gset
BEGIN;
SELECT head_seq AS seq FROM matter WHERE id = CAST(:id AS uuid) FOR UPDATE \gset
SELECT unit_id, due_at, next_at FROM clock WHERE matter_id = CAST(:id AS uuid);
INSERT INTO card (id, matter_id, clock_id, county_id, level, cause, stage, unit_id, unit_name, due_at, effective_at, issued_at, seal)
SELECT gen_random_uuid(), k.matter_id, k.id, k.county_id, 'yellow', 'overdue', 'judge', k.unit_id, '工农茶叶产业社区',
  k.started_at, k.started_at + interval '1 second', now(), decode(repeat('cd', 32), 'hex') FROM clock k WHERE k.id = CAST(:id AS uuid) ON CONFLICT DO NOTHING;
INSERT INTO record_entry (matter_id, seq, at, action, public, body, hash)
VALUES (CAST(:id AS uuid), :seq + 1, now(), 'card', false, '{"data": {}, "after": "' || repeat('x', 300) || '"}', decode(repeat('cd', 32), 'hex'));
UPDATE clock SET next_at = next_at WHERE id = CAST(:id AS uuid);
UPDATE matter SET head_seq = head_seq + 1, head_hash = decode(repeat('cd', 32), 'hex') WHERE id = CAST(:id AS uuid);
COMMIT;
