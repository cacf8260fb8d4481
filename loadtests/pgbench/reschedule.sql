-- The SQL that computing the two limits of a case anew cannot do without: the lock, both clocks, an entry, the head of the record.
\set n random(1, :cases)
SELECT md5('case' || :n) AS id \gset
BEGIN;
SELECT event_seq AS seq FROM grievance WHERE id = CAST(:id AS uuid) FOR UPDATE \gset
SELECT * FROM clock WHERE case_id = CAST(:id AS uuid);
UPDATE clock SET due_at = due_at, yellow_at = yellow_at, next_at = next_at WHERE case_id = CAST(:id AS uuid);
INSERT INTO case_event (case_id, seq, at, action, public, body, hash)
VALUES (CAST(:id AS uuid), :seq + 1, now(), 'reschedule', false, '{"data": {}, "after": "' || repeat('x', 300) || '"}', decode(repeat('cd', 32), 'hex'));
UPDATE grievance SET event_seq = event_seq + 1, event_hash = decode(repeat('cd', 32), 'hex') WHERE id = CAST(:id AS uuid);
COMMIT;
