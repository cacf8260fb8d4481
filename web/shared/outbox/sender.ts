// Sends what the phone keeps, oldest first, until the server has it: on load, when the network or the page comes back, and by a timer.
import { ACTING_POST } from '../api/acting_post.ts'
import { NoAnswer, Refused, problemOf, type Problem } from '../api/problems.ts'
import * as store from './store.ts'
import type { KeptFile, Outgoing } from './store.ts'

const BASE = '/m/v1'
const FIRST_WAIT = 5_000
const LONGEST_WAIT = 10 * 60_000
const FILE_SECONDS = 120

/** Who is signed in on this phone, and what happens when the server says otherwise. */
export interface Identity {
  /** A phone may hold a session of each. */
  readonly as: 'citizen' | 'staff'
  current(): string | null
  /** Of staff, the post in which they act. */
  post?(): number | null
  expired(): void
  /** The login acts in another post by now. */
  switched?(): void
}

type Listener = (items: Outgoing[]) => void

export class Sender {
  private readonly listeners = new Set<Listener>()
  private timer: ReturnType<typeof setTimeout> | undefined
  private running: Promise<void> | null = null
  private again = false

  constructor(
    private readonly identity: Identity,
    private readonly fetching: typeof fetch = (...given) => fetch(...given),
  ) {}

  start(): void {
    addEventListener('online', () => void this.send())
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState === 'visible') void this.send()
    })
    void this.send()
  }

  listen(listener: Listener): () => void {
    this.listeners.add(listener)
    void store.outgoing().then(listener)
    return () => this.listeners.delete(listener)
  }

  /** Puts something on its way; `draftKey` is the draft that it was. */
  async post(item: Outgoing, draftKey: string | null): Promise<void> {
    await store.post(item, draftKey)
    await this.tell()
    void this.send()
  }

  /** Tries now whatever waits, also what was to be tried later. */
  async hurry(): Promise<void> {
    for (const item of await store.outgoing()) {
      if (item.state !== 'refused') await store.keepOutgoing({ ...item, state: 'waiting', nextTryAt: 0 })
    }
    await this.send()
  }

  async drop(id: string): Promise<void> {
    await store.dropOutgoing(id)
    await this.tell()
  }

  send(): Promise<void> {
    if (this.running) {
      this.again = true
      return this.running
    }
    this.running = this.alone(() => this.sendDue()).finally(() => {
      this.running = null
      if (this.again) {
        this.again = false
        void this.send()
      }
    })
    return this.running
  }

  /** One tab at a time, where the browser can say so; the server counts each key once anyhow. */
  private async alone(work: () => Promise<void>): Promise<void> {
    const locks = (navigator as { locks?: LockManager }).locks
    if (locks) await locks.request(`${store.keptIn()}-outbox`, work)
    else await work()
  }

  private async sendDue(): Promise<void> {
    clearTimeout(this.timer)
    for (const item of await store.outgoing()) {
      if (item.state === 'waiting' && item.nextTryAt <= Date.now()) await this.sendOne(item)
    }
    await this.tell()
    this.sleep(await store.outgoing())
  }

  private sleep(items: Outgoing[]): void {
    const waiting = items.filter((item) => item.state === 'waiting')
    if (!waiting.length) return
    const soonest = Math.min(...waiting.map((item) => item.nextTryAt))
    this.timer = setTimeout(() => void this.send(), Math.max(soonest - Date.now(), 250))
  }

  private async sendOne(item: Outgoing): Promise<void> {
    const who = this.identity.current()
    if (!who || (item.owner && item.owner !== who)) {
      await store.keepOutgoing({ ...item, state: 'sign-in' })
      return
    }
    const owned = { ...item, owner: who }
    try {
      const ids = await this.upload(owned)
      await store.arrived(owned, await this.submit(owned, ids))
    } catch (failure) {
      await this.failed(owned, failure)
    }
  }

  private async failed(item: Outgoing, failure: unknown): Promise<void> {
    const problem = failure instanceof Refused ? failure.problem : null
    if (problem?.status === 401) {
      this.identity.expired()
      await store.keepOutgoing({ ...item, state: 'sign-in', problem })
    } else if (problem?.type === '/problems/other-post') {
      this.identity.switched?.()
      await store.keepOutgoing({ ...item, state: 'sign-in', problem })
    } else if (problem && isFinal(problem)) {
      await store.keepOutgoing({ ...item, state: 'refused', problem })
    } else {
      const asked = failure instanceof Refused ? (failure.retryAfterSeconds ?? 0) * 1000 : 0
      await store.keepOutgoing({ ...item, problem, tries: item.tries + 1, nextTryAt: Date.now() + Math.max(asked, pause(item.tries)) })
    }
  }

  /** Each file by a request of its own; one that arrived is not sent again. */
  private async upload(item: Outgoing): Promise<Record<KeptFile['field'], string[]>> {
    const ids: Record<KeptFile['field'], string[]> = { photos: [], voices: [] }
    for (const [number, file] of item.files.entries()) {
      if (!file.id) {
        const form = new FormData()
        form.append(file.field === 'photos' ? 'photo' : 'voice', new Blob([file.bytes], { type: file.type }), 'file')
        const answer = await this.ask(`/${file.field}?as=${this.identity.as}`, `${item.id}-${number}`, form)
        file.id = String(answer['id'])
        await store.keepOutgoing(item)
      }
      ids[file.field].push(file.id)
    }
    return ids
  }

  private async submit(item: Outgoing, ids: Record<KeptFile['field'], string[]>): Promise<Record<string, unknown>> {
    const files = Object.fromEntries(Object.entries(ids).filter(([, given]) => given.length))
    return this.ask(item.path, item.id, JSON.stringify({ ...item.body, ...files }), item.seen)
  }

  private async ask(path: string, key: string, body: FormData | string, seen: string | null = null): Promise<Record<string, unknown>> {
    const patience = new AbortController()
    const timer = setTimeout(() => patience.abort(), FILE_SECONDS * 1000)
    const headers: Record<string, string> = { 'Idempotency-Key': key }
    if (typeof body === 'string') headers['Content-Type'] = 'application/json'
    if (seen) headers['If-Match'] = seen
    const post = this.identity.post?.()
    if (post) headers[ACTING_POST] = String(post)
    try {
      const response = await this.fetching(BASE + path, {
        method: 'POST', headers, body, credentials: 'same-origin', signal: patience.signal,
      }).catch(() => {
        throw new NoAnswer()
      })
      const answer: unknown = await response.json().catch(() => null)
      if (response.ok && answer !== null) return answer as Record<string, unknown>
      if (response.ok) throw new NoAnswer()
      throw new Refused(problemOf(answer, response), Number(response.headers.get('Retry-After')) || null)
    } finally {
      clearTimeout(timer)
    }
  }

  private async tell(): Promise<void> {
    const items = await store.outgoing()
    for (const listener of this.listeners) listener(items)
  }
}

/** Whether asking again changes nothing: what was sent is wrong, or may not be. A proxy's own page is no answer. */
function isFinal(problem: Problem): boolean {
  const passing = problem.status === 408 || problem.status === 425 || problem.status === 429 || problem.status >= 500
  return !passing && problem.type !== 'about:blank'
}

/** Milliseconds until the next try: 5 s, doubled each time, 10 minutes at most. */
export function pause(tries: number): number {
  return Math.min(FIRST_WAIT * 2 ** tries, LONGEST_WAIT)
}
