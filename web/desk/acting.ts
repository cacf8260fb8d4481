// Acts on cases. A dispatch is held for a few seconds, in which it can be undone; refused acts stay in sight until they are dismissed.
import { shallowRef } from 'vue'
import { inWords, Refused } from '@shared/api/problems.ts'
import { ACTING_POST } from '@shared/api/acting_post.ts'
import { answered, patient } from '@shared/api/client.ts'
import { say } from '@shared/look/snack.ts'
import { randomKey } from '@shared/words/random.ts'
import { labelOf } from './acts.ts'
import { dropDraft, forgetVersion } from './drafts.ts'
import { changedHere } from './live.ts'
import { post as acting, postSwitched, state } from './session.ts'

export const HELD = 5_000

export interface Act {
  number: string
  title: string
  action: string
  body: Record<string, unknown>
  version: number | null
  /** "交办给荣昌区水务局", for the line that offers to take it back. */
  words: string
}

interface Sending extends Act {
  key: string
  /** In which it was decided, whatever the page shows by the time it goes out. */
  post: number | null
}

interface Held extends Sending {
  timer: ReturnType<typeof setTimeout>
}

export interface Failed extends Act {
  why: string
  /** The case has changed since it was shown (412). */
  isOutdated: boolean
}

const held = shallowRef<Held[]>([])
export const isHeld = (number: string) => held.value.some((one) => one.number === number)
export const failed = shallowRef<Failed[]>([])

export async function act(given: Act): Promise<boolean> {
  return await send(decided(given))
}

const decided = (given: Act): Sending => ({ ...given, key: randomKey(), post: acting.value?.id ?? null })

/** Sent after a few seconds unless it is taken back. */
export function actUnlessTakenBack(given: Act): void {
  const sending = decided(given)
  const { key } = sending
  const one: Held = { ...sending, timer: setTimeout(() => void release(key), HELD) }
  held.value = [...held.value, one]
  say(given.words, () => takeBack(key), HELD)
}

/** The newest that has not gone out. */
export function takeBackNewest(): boolean {
  const newest = held.value.at(-1)
  if (newest) takeBack(newest.key)
  return Boolean(newest)
}

function takeBack(key: string): void {
  const one = held.value.find((each) => each.key === key)
  if (!one) return
  clearTimeout(one.timer)
  held.value = held.value.filter((each) => each.key !== key)
  say(`没有${labelOf(one.action)}，写的内容还在`)
}

async function release(key: string): Promise<void> {
  const one = held.value.find((each) => each.key === key)
  if (!one) return
  held.value = held.value.filter((each) => each.key !== key)
  await send(one)
}

async function send(one: Sending): Promise<boolean> {
  try {
    await answered(post(one))
    dropDraft(one.number, one.action)
    failed.value = failed.value.filter((each) => each.number !== one.number || each.action !== one.action)
    say(`${one.title.slice(0, 16)}：已${labelOf(one.action)}`)
    return true
  } catch (failure) {
    const status = failure instanceof Refused ? failure.problem.status : 0
    if (status === 401) state.value = 'expired'
    if (failure instanceof Refused && failure.is('other-post')) void postSwitched()
    if (status === 412) forgetVersion(one.number, one.action)
    failed.value = [...failed.value.filter((each) => each.number !== one.number || each.action !== one.action), { ...one, why: inWords(failure), isOutdated: status === 412 }]
    return false
  } finally {
    await changedHere(one.number)
  }
}

export const dismiss = (one: Failed) => (failed.value = failed.value.filter((each) => each !== one))

async function post(one: Sending, keepalive = false): Promise<{ data?: unknown; error?: unknown; response: Response }> {
  const headers: Record<string, string> = { 'Content-Type': 'application/json', 'Idempotency-Key': one.key }
  if (one.post !== null) headers[ACTING_POST] = String(one.post)
  if (one.version !== null) headers['If-Match'] = `"${one.version}"`
  const request = new Request(`/api/v1/cases/${one.number}/${one.action.replaceAll('_', '-')}`, { method: 'POST', headers, body: JSON.stringify(one.body), keepalive })
  const response = keepalive ? await fetch(request) : await patient(request)
  const body: unknown = await response.json().catch(() => null)
  return response.ok ? { data: body, response } : { error: body, response }
}

/** Sends held acts when the page closes: the dispatcher has decided. A draft stays until the server has accepted the act. */
export function sendWhatIsHeld(): void {
  for (const one of held.value) {
    clearTimeout(one.timer)
    void post(one, true).catch(() => undefined)
  }
  held.value = []
}
