-- The SQL that handing a case on cannot do without: who asks, the lock, the new state, its entry, words, text, kept answer.
\set n random(1, :pool)
BEGIN;
SELECT s.id, p.id, o.role, u.id FROM session s JOIN staff p ON p.id = s.staff_id JOIN post o ON o.id = s.post_id
  JOIN unit u ON u.id = o.unit_id WHERE s.token_digest = decode(:digest, 'hex') AND s.revoked_at IS NULL AND s.expires_at > now();
SELECT gen_random_uuid() AS id \gset
SELECT c.id AS case, c.event_seq AS seq FROM bench_pool b JOIN grievance c ON c.id = b.id WHERE b.n = :n FOR UPDATE OF c \gset
UPDATE grievance SET holder_unit_id = holder_unit_id, stage_started_at = now(), stage_due_at = now() + interval '3 days',
  event_seq = event_seq + 1, event_hash = decode(repeat('cd', 32), 'hex') WHERE id = :case;
INSERT INTO case_event (case_id, seq, at, action, public, body, hash)
VALUES (:case, :seq + 1, now(), 'escalate', true, '{"data": {}, "after": "' || repeat('x', 500) || '"}', decode(repeat('cd', 32), 'hex'));
INSERT INTO event_text (case_id, seq, field, salt, text) VALUES
  (:case, :seq + 1, 'finding', decode(repeat('ef', 16), 'hex'), '本级没有维修能力');
INSERT INTO outbox_message (id, kind, case_id, round, citizen_id, params_sealed, state, attempts, due_at, expires_at, created_at)
SELECT :id, 'moved', id, 1, citizen_id, decode(repeat('ab', 150), 'hex'), 'queued', 0, now(), now() + interval '3 days', now()
FROM grievance WHERE id = :case;
INSERT INTO given_answer (owner, key, request_digest, status, body_sealed, created_at)
VALUES ('staff:1', :id, decode(repeat('ef', 32), 'hex'), 200, decode(repeat('ab', 800), 'hex'), now());
COMMIT;
