-- The SQL that registering a case cannot do without: who asks, the case, its clocks, its entry, its words, the person as named, its text, the kept answer.
BEGIN;
SELECT s.id, p.id, o.role, u.id FROM session s JOIN staff p ON p.id = s.staff_id JOIN post o ON o.id = s.post_id
  JOIN unit u ON u.id = o.unit_id WHERE s.token_digest = decode(:digest, 'hex') AND s.revoked_at IS NULL AND s.expires_at > now();
SELECT gen_random_uuid() AS id, (random() * 1e8)::int AS digits, (random() * 1e9)::bigint AS token \gset
INSERT INTO citizen (id, phone_sealed, phone_key, created_at, seal)
VALUES (:id, decode(repeat('ab', 40), 'hex'), decode(md5(:id), 'hex'), now(), decode(repeat('cd', 32), 'hex'));
INSERT INTO matter (id, kind, ref, county_id, sealed, head_seq, head_hash)
SELECT :id, 'grievance', '500153-000000-' || :digits::text || '/' || :token::text, county_id, false, 1, decode(repeat('cd', 32), 'hex')
FROM unit WHERE code = '500153003007';
INSERT INTO grievance (id, ref, tracking_key, county_id, village_id, first_unit_id, citizen_id, textable, channel, kind, urgent,
  sealed, title, received_at, phase, holder_unit_id, stage, stage_started_at, stage_due_at, stage_rule, due_at, statutory_due_at, extended, round, returns,
  refusals_objected, presses, seal)
SELECT :id, '500153-000000-' || :digits::text || '/' || :token::text, decode(md5(:id), 'hex'), county_id, id, id, :id, true, 'cadre', 'help', false,
  false, '第一件：路灯不亮', now(), 'pending', id, 'judge', now(), now() + interval '2 days', 'default', now() + interval '42 days', now() + interval '60 days', false, 1, 0,
  0, 0, decode(repeat('cd', 32), 'hex') FROM unit WHERE code = '500153003007';
INSERT INTO clock (id, matter_id, county_id, stage, round, unit_id, started_at, "limit", remind_before, yellow_after, red_after, rule,
  calendar_version, pauses, due_at, provisional, certain_steps, remind_at, yellow_at, red_at, steps, next_at)
SELECT gen_random_uuid(), :id, county_id, s, 1, id, now(), '2wd', 1, '0wd', '5wd', 'default/judge/village', 1, '[]', now() + interval '2 days',
  false, 3, now() + interval '1 day', now() + interval '2 days', now() + interval '9 days', 0, now() + interval '1 day'
FROM unit, unnest(ARRAY['judge', 'whole', 'inform', 'statutory']) s WHERE code = '500153003007';
INSERT INTO matter_party (unit_id, matter_id, since) SELECT id, :id, now() FROM unit WHERE code = '500153003007';
INSERT INTO record_entry (matter_id, seq, at, action, public, body, hash)
VALUES (:id, 1, now(), 'register', true, '{"data": {}, "after": "' || repeat('x', 2000) || '"}', decode(repeat('cd', 32), 'hex'));
INSERT INTO record_text (matter_id, seq, field, salt, text) VALUES
  (:id, 1, 'title', decode(repeat('ef', 16), 'hex'), '第一件：路灯不亮'),
  (:id, 1, 'body', decode(repeat('ef', 16), 'hex'), repeat('村口的路灯坏了一个月，夜里老人出行不便。', 4));
INSERT INTO person_as_given (matter_id, phone_key, name_key, name_sealed, given_at, seal)
VALUES (:id, decode(md5(:id), 'hex'), decode(md5('王大爷'), 'hex'), decode(repeat('ab', 40), 'hex'), now(), decode(repeat('cd', 32), 'hex'));
INSERT INTO outbox_message (id, kind, matter_id, round, turn, citizen_id, params_sealed, state, attempts, inquiries, due_at, expires_at, created_at)
VALUES (:id, 'receipt', :id, 1, 1, :id, decode(repeat('ab', 150), 'hex'), 'queued', 0, 0, now(), now() + interval '3 days', now());
INSERT INTO given_answer (owner, key, request_digest, status, body_sealed, created_at)
VALUES ('staff:1', :id, decode(repeat('ef', 32), 'hex'), 201, decode(repeat('ab', 400), 'hex'), now());
COMMIT;
