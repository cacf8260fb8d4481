-- The SQL that computing the two limits of a case anew cannot do without: the lock, both clocks, an entry, the head of the record.
\set n random(1, :cases)
SELECT md5('case' || :n) AS id \gset
BEGIN;
SELECT head_seq AS seq FROM matter WHERE id = CAST(:id AS uuid) FOR UPDATE \gset
SELECT * FROM clock WHERE matter_id = CAST(:id AS uuid);
UPDATE clock SET due_at = due_at, yellow_at = yellow_at, next_at = next_at WHERE matter_id = CAST(:id AS uuid);
INSERT INTO record_entry (matter_id, seq, at, action, public, body, hash)
VALUES (CAST(:id AS uuid), :seq + 1, now(), 'reschedule', false, '{"data": {}, "after": "' || repeat('x', 300) || '"}', decode(repeat('cd', 32), 'hex'));
UPDATE matter SET head_seq = head_seq + 1, head_hash = decode(repeat('cd', 32), 'hex') WHERE id = CAST(:id AS uuid);
COMMIT;
