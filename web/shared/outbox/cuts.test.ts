import 'fake-indexeddb/auto'
import { expect, test, vi } from 'vitest'
import { Sender } from './sender.ts'
import * as store from './store.ts'
import type { Outgoing } from './store.ts'

vi.stubGlobal('navigator', {})

const REPORTS = 400
const LONGEST_TRY = 60

/** Numbers between 0 and 1, the same for the same seed. */
function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32
    return state / 2 ** 32
  }
}

/** Does each key once, as the server does, and is cut off before or after it did. */
class Server {
  readonly done = new Map<string, string>()
  readonly bodies: string[] = []

  constructor(private readonly chance: () => number) {}

  readonly fetch = (async (path: string, how: RequestInit) => {
    const cut = this.chance()
    if (cut < 0.15) throw new Error('cut before the server heard of it')
    if (cut < 0.25) return new Response(JSON.stringify({ type: '/problems/unavailable', title: '', status: 503, detail: '' }), { status: 503 })
    if (cut < 0.3) return new Response('<html>413</html>', { status: 413 })
    const key = (how.headers as Record<string, string>)['Idempotency-Key'] ?? ''
    if (!this.done.has(key)) {
      this.done.set(key, JSON.stringify({ id: `file-${key}`, ref: `ref-${key}` }))
      if (path.endsWith('/reports')) this.bodies.push(String(how.body))
    }
    if (cut < 0.45) throw new Error('cut before the phone heard of it')
    return new Response(this.done.get(key), { status: 201 })
  }) as unknown as typeof fetch
}

const identity = { as: 'citizen' as const, current: () => '139****0001', expired: () => undefined }

test('nothing is lost and nothing doubled, however often the network is cut and the page killed', async () => {
  const chance = random(20261201)
  const server = new Server(chance)
  for (let number = 0; number < REPORTS; number += 1) {
    const photos = Math.floor(chance() * 3)
    const item: Outgoing = {
      id: `report-${number}`, owner: null, title: '', path: '/reports', body: { body: `事情 ${number}` }, seen: null,
      files: Array.from({ length: photos }, () => ({ field: 'photos' as const, bytes: new ArrayBuffer(1), type: 'image/jpeg', id: null })),
      createdAt: number, state: 'waiting', tries: 0, nextTryAt: 0, problem: null,
    }
    await store.post(item, null)
    let tries = 0
    while ((await store.outgoing()).length && tries < LONGEST_TRY) {
      // A new sender each time: the page was killed, and nothing but the store is left.
      const sender = new Sender(identity, server.fetch)
      await (chance() < 0.5 ? sender.hurry() : Promise.all([sender.hurry(), new Sender(identity, server.fetch).hurry()]))
      tries += 1
    }
  }
  expect(await store.outgoing()).toEqual([])
  const told = server.bodies.map((body) => (JSON.parse(body) as { body: string; photos?: string[] }))
  expect(told).toHaveLength(REPORTS)
  expect(new Set(told.map((one) => one.body)).size).toBe(REPORTS)
  expect((await store.allSent()).length).toBe(REPORTS)
}, 60_000)
