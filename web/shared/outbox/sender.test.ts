import 'fake-indexeddb/auto'
import { beforeEach, expect, test, vi } from 'vitest'
import { Sender, pause } from './sender.ts'
import * as store from './store.ts'
import type { Outgoing } from './store.ts'

vi.stubGlobal('navigator', {})

const ME = '139****0001'
let me: string | null = ME
let acting: number | null = null
const switched = vi.fn()
const identity = { as: 'citizen' as const, current: () => me, post: () => acting, expired: () => (me = null), switched }

const item = (different: Partial<Outgoing> = {}): Outgoing => ({
  id: 'k1', owner: null, title: '没有水', path: '/reports', body: { body: '没有水' }, seen: null, files: [],
  createdAt: 1, state: 'waiting', tries: 0, nextTryAt: 0, problem: null, ...different,
})
const photo = () => ({ field: 'photos' as const, bytes: new Uint8Array([1, 2]).buffer, type: 'image/jpeg', id: null })
const good = (body: unknown, status = 201) => new Response(JSON.stringify(body), { status })
const refusal = (status: number, type: string, headers: Record<string, string> = {}) =>
  new Response(JSON.stringify({ type: `/problems/${type}`, title: '', status, detail: '不行' }), { status, headers })

beforeEach(async () => {
  me = ME
  acting = null
  switched.mockClear()
  await store.forgetAll()
})

async function sent(answers: ((path: string) => Response | Error)[], posted: Outgoing): Promise<{ asked: [string, RequestInit][]; sender: Sender }> {
  const asked: [string, RequestInit][] = []
  const sender = new Sender(identity, ((path: string, how: RequestInit) => {
    asked.push([path, how])
    const given = answers[Math.min(asked.length, answers.length) - 1]?.(path)
    return given instanceof Response ? Promise.resolve(given) : Promise.reject(given ?? new Error('nothing'))
  }) as unknown as typeof fetch)
  await store.post(posted, null)
  await sender.send()
  return { asked, sender }
}

test('what was sent leaves the phone and its answer stays', async () => {
  await sent([() => good({ ref: 'r1', tracking_code: 'c' })], item())
  expect(await store.outgoing()).toEqual([])
  expect(await store.sent('k1')).toMatchObject({ owner: ME, answer: { ref: 'r1' } })
})

test('a photo that arrived is not sent again after a failure', async () => {
  const { asked, sender } = await sent([() => good({ id: 'p1' }), () => new Error('cut'), () => good({ ref: 'r1' })], item({ files: [photo()] }))
  expect((await store.outgoing())[0]).toMatchObject({ tries: 1, files: [{ id: 'p1' }] })
  await sender.hurry()
  expect(asked.map(([path]) => path)).toEqual(['/m/v1/photos?as=citizen', '/m/v1/reports', '/m/v1/reports'])
  expect(JSON.parse(String(asked[2]?.[1].body))).toMatchObject({ photos: ['p1'] })
  expect(await store.outgoing()).toEqual([])
})

test('every try carries the same key', async () => {
  const { asked, sender } = await sent([() => refusal(503, 'unavailable'), () => good({ ref: 'r1' })], item())
  await sender.hurry()
  const keys = asked.map(([, how]) => (how.headers as Record<string, string>)['Idempotency-Key'])
  expect(keys).toEqual(['k1', 'k1'])
})

test('a refusal stays on the phone with its words', async () => {
  const { asked, sender } = await sent([() => refusal(422, 'invalid-input')], item())
  expect((await store.outgoing())[0]).toMatchObject({ state: 'refused', problem: { detail: '不行' } })
  await sender.send()
  expect(asked).toHaveLength(1)
})

test.each([429, 500, 502, 503, 504])('status %i is tried again later', async (status) => {
  await sent([() => refusal(status, 'busy', { 'Retry-After': '60' })], item())
  const kept = (await store.outgoing())[0]
  expect(kept).toMatchObject({ state: 'waiting', tries: 1 })
  expect((kept?.nextTryAt ?? 0) - Date.now()).toBeGreaterThan(50_000)
})

test("a proxy's own page is no refusal", async () => {
  await sent([() => new Response('<html>', { status: 413 })], item())
  expect((await store.outgoing())[0]).toMatchObject({ state: 'waiting' })
})

test('an ended session asks for a sign-in and loses nothing', async () => {
  await sent([() => refusal(401, 'sign-in-required')], item())
  expect(me).toBeNull()
  expect((await store.outgoing())[0]).toMatchObject({ state: 'sign-in', owner: ME })
})

test("one person's report is never sent as another's", async () => {
  const { asked } = await sent([() => good({})], item({ owner: '138****9999' }))
  expect(asked).toEqual([])
  expect((await store.outgoing())[0]).toMatchObject({ state: 'sign-in' })
})

test('staff say in which post they act, with files too', async () => {
  acting = 12
  const { asked } = await sent([() => good({ id: 'p1' }), () => good({ ref: 'r1' })], item({ files: [photo()] }))
  expect(asked.map(([, how]) => (how.headers as Record<string, string>)['Acting-Post'])).toEqual(['12', '12'])
})

test('what is refused because the post was switched waits for its post', async () => {
  acting = 12
  await sent([() => refusal(403, 'other-post')], item())
  expect((await store.outgoing())[0]).toMatchObject({ state: 'sign-in', owner: ME })
  expect(switched).toHaveBeenCalledOnce()
})

test('the pause doubles up to ten minutes', () => {
  expect([0, 1, 2, 20].map(pause)).toEqual([5_000, 10_000, 20_000, 600_000])
})

test('what was dropped while it was being sent does not come back', async () => {
  await sent([() => { void store.dropOutgoing('k1'); return new Error('cut') }], item())
  expect(await store.outgoing()).toEqual([])
})
