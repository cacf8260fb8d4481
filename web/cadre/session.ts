// Who is signed in on this phone. The token is in a cookie that no script can read; here is only whose it is, so that the app opens offline.
import { computed, ref } from 'vue'
import { QueryClient } from '@tanstack/vue-query'
import { answered, api, sayPost } from '@shared/api/client.ts'
import type { components } from '@shared/api/phones'
import { Refused } from '@shared/api/problems.ts'
import { Sender } from '@shared/outbox/sender.ts'
import { allSent, dropSent, keepIn } from '@shared/outbox/store.ts'
import { say } from '@shared/look/snack.ts'
import { randomKey } from '@shared/words/random.ts'

export type Post = components['schemas']['CadrePost']
export interface Known {
  account: string
  name: string
  post: Post
  posts: Post[]
}

const KEY = 'qungong.cadre'
const EXPIRED = 'qungong.cadre.expired'
const LOCKED = 'qungong.cadre.locked'
const SHARED = 'qungong.cadre.shared'
/** Milliseconds. */
const RECEIPTS = 24 * 3_600_000
/** Roles that take in reports, and roles that may look at the whole county. */
const REGISTERS = new Set(['village_cadre', 'township_clerk', 'dispatcher'])
const COUNTY_WIDE = new Set(['leader', 'dispatcher', 'supervisor'])

keepIn('qungong-cadre')

export const queries = new QueryClient({ defaultOptions: { queries: { staleTime: 5_000, gcTime: 30 * 60_000, retry: 1 } } })
export const who = ref<Known | null>(JSON.parse(read(KEY) ?? 'null') as Known | null)
/** The session ended by itself; what is on the page stays until the same person has signed in again. */
export const expired = ref(read(EXPIRED) !== null)
/** The village's phone was put down: the next person says who they are. */
export const locked = ref(read(LOCKED) !== null)
/** Somebody has set a PIN on this phone, so it is one that people share. */
export const isShared = ref(read(SHARED) !== null)
export const needsSignIn = computed(() => !who.value || expired.value || locked.value)
export const owner = computed(() => (who.value ? `${who.value.post.id} ${who.value.name}` : null))
export const mayRegister = computed(() => REGISTERS.has(who.value?.post.role ?? ''))
export const seesCounty = computed(() => COUNTY_WIDE.has(who.value?.post.role ?? ''))
export const isLeader = computed(() => who.value?.post.role === 'leader')

api.use(sayPost(() => who.value?.post.id ?? null, '/cadre/me'))

function read(key: string): string | null {
  try {
    return localStorage.getItem(key)
  } catch {
    return null
  }
}

function write(key: string, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(key)
    else localStorage.setItem(key, value)
  } catch {
    // Without storage the person is known until the page is closed.
  }
}

/** An answer of the API; where the session has ended, the person is asked to sign in again. */
export async function ask<T>(call: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  try {
    return await answered(call)
  } catch (failure) {
    if (failure instanceof Refused && failure.problem.status === 401) sessionExpired()
    if (failure instanceof Refused && failure.is('other-post')) void postSwitched()
    throw failure
  }
}

export function signedIn(known: Known): void {
  const isAnother = who.value !== null && ownerOf(who.value) !== ownerOf(known)
  who.value = known
  expired.value = locked.value = false
  write(KEY, JSON.stringify(known))
  write(EXPIRED, null)
  write(LOCKED, null)
  if (isAnother) queries.clear()
  else void queries.invalidateQueries()
  void sender.hurry()
}

export const ownerOf = (known: Known) => `${known.post.id} ${known.name}`

/** From now on one acts in another of one's posts; what waits to be sent stays with the post it was written in. */
export async function switchPost(id: number): Promise<void> {
  const told = await ask(api.POST('/cadre/post', { params: { header: { 'Idempotency-Key': randomKey() } }, body: { post_id: id } }))
  if (who.value) signedIn({ ...who.value, name: told.name, post: told.post, posts: told.posts })
}

/** In another tab: this one shows what the login acts in by now. What was written stays with its post. */
async function postSwitched(): Promise<void> {
  const before = who.value?.post.id
  await refreshWho().catch(() => undefined)
  if (!who.value || who.value.post.id === before) return
  queries.clear()
  say(`您已在别处切换到${who.value.post.unit_name}的岗位，这里也已切换`)
  void sender.hurry()
}

export function sessionExpired(): void {
  if (!who.value) return
  expired.value = true
  write(EXPIRED, '1')
}

/** The receipts go with the person; drafts and what waits to be sent stay theirs until they come back. */
export async function signOut(): Promise<void> {
  const leaving = owner.value
  await fetch('/m/v1/cadre/sessions/current', { method: 'DELETE', headers: { 'X-Requested-With': 'page' } }).catch(() => undefined)
  for (const one of await allSent().catch(() => [])) if (one.owner === leaving) await dropSent(one.id)
  who.value = null
  expired.value = locked.value = false
  for (const key of [KEY, EXPIRED, LOCKED]) write(key, null)
  queries.clear()
}

/** Only where the server has ended the session: without a network nobody could unlock the phone again. */
export async function lock(): Promise<void> {
  const headers = { 'Idempotency-Key': randomKey(), 'X-Requested-With': 'page' }
  const done = await fetch('/m/v1/cadre/lock', { method: 'POST', headers }).catch(() => null)
  if (!done?.ok && done?.status !== 401) return
  locked.value = true
  write(LOCKED, '1')
  queries.clear()
}

export function share(isSet: boolean): void {
  isShared.value = isSet
  write(SHARED, isSet ? '1' : null)
}

/** Receipts are there to be read out, not to be kept. */
export async function dropOldReceipts(): Promise<void> {
  for (const one of await allSent().catch(() => [])) if (one.sentAt < Date.now() - RECEIPTS) await dropSent(one.id)
}

export async function refreshWho(): Promise<components['schemas']['Cadre']> {
  const me = await ask(api.GET('/cadre/me'))
  if (who.value) {
    who.value = { ...who.value, name: me.name, post: me.post, posts: me.posts }
    write(KEY, JSON.stringify(who.value))
  }
  return me
}

export const sender = new Sender({
  as: 'staff',
  current: () => (needsSignIn.value ? null : owner.value),
  post: () => who.value?.post.id ?? null,
  expired: sessionExpired,
  switched: () => void postSwitched(),
})
