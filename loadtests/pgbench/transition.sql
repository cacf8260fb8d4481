-- The SQL that handing a case on cannot do without: who asks, the lock, the new state, the clocks, its entry, words, text, kept answer.
\set n random(1, :pool)
BEGIN;
SELECT s.id, p.id, o.role, u.id FROM session s JOIN staff p ON p.id = s.staff_id JOIN post o ON o.id = s.post_id
  JOIN unit u ON u.id = o.unit_id WHERE s.token_digest = decode(:digest, 'hex') AND s.revoked_at IS NULL AND s.expires_at > now();
SELECT gen_random_uuid() AS id \gset
SELECT c.id AS case, m.head_seq AS seq FROM bench_pool b JOIN matter m ON m.id = b.id JOIN grievance c ON c.id = b.id WHERE b.n = :n
  FOR UPDATE OF m, c \gset
UPDATE grievance SET holder_unit_id = holder_unit_id, stage_started_at = now(), stage_due_at = now() + interval '3 days'
WHERE id = :case;
UPDATE matter SET head_seq = head_seq + 1, head_hash = decode(repeat('cd', 32), 'hex') WHERE id = :case;
UPDATE clock SET ended_at = now(), next_at = NULL WHERE matter_id = :case AND stage = 'judge' AND ended_at IS NULL;
INSERT INTO clock (id, matter_id, county_id, stage, round, unit_id, started_at, "limit", remind_before, yellow_after, red_after, rule,
  calendar_version, pauses, due_at, provisional, certain_steps, remind_at, yellow_at, red_at, steps, next_at)
SELECT gen_random_uuid(), id, county_id, 'judge', 1, holder_unit_id, now(), '3wd', 1, '0wd', '5wd', 'default/judge/township', 1, '[]',
  now() + interval '3 days', false, 3, now() + interval '1 day', now() + interval '3 days', now() + interval '9 days', 0, now() + interval '1 day'
FROM grievance WHERE id = :case;
INSERT INTO record_entry (matter_id, seq, at, action, public, body, hash)
VALUES (:case, :seq + 1, now(), 'escalate', true, '{"data": {}, "after": "' || repeat('x', 500) || '"}', decode(repeat('cd', 32), 'hex'));
INSERT INTO record_text (matter_id, seq, field, salt, text) VALUES
  (:case, :seq + 1, 'finding', decode(repeat('ef', 16), 'hex'), '本级没有维修能力');
INSERT INTO outbox_message (id, kind, matter_id, round, turn, citizen_id, params_sealed, state, attempts, inquiries, due_at, expires_at, created_at)
SELECT :id, 'moved', id, 1, 1, citizen_id, decode(repeat('ab', 150), 'hex'), 'queued', 0, 0, now(), now() + interval '3 days', now()
FROM grievance WHERE id = :case;
INSERT INTO given_answer (owner, key, request_digest, status, body_sealed, created_at)
VALUES ('staff:1', :id, decode(repeat('ef', 32), 'hex'), 200, decode(repeat('ab', 800), 'hex'), now());
COMMIT;
