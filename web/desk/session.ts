// The signed-in person. The token is in a cookie that no script can read; the server says whose it is.
import { computed, ref } from 'vue'
import { QueryClient } from '@tanstack/vue-query'
import { answered } from '@shared/api/client.ts'
import { Refused } from '@shared/api/problems.ts'
import type { components } from '@shared/api/staff'
import { randomKey } from '@shared/words/random.ts'
import { say } from '@shared/look/snack.ts'
import { actsIn, api } from './client.ts'

export type Me = components['schemas']['Me']
/** asking: not yet known. out: sign in. expired: what is on the page stays until the same person has signed in again. */
export type State = 'asking' | 'out' | 'in' | 'expired' | 'unreachable'

export const queries = new QueryClient({ defaultOptions: { queries: { staleTime: 5_000, gcTime: 10 * 60_000, retry: 1, refetchOnWindowFocus: false } } })
export const me = ref<Me | null>(null)
export const state = ref<State>('asking')
export const account = ref('')
export const post = computed(() => me.value?.post ?? null)
/** Roles that take in what people tell. */
export const mayRegister = computed(() => ['village_cadre', 'township_clerk', 'dispatcher'].includes(post.value?.role ?? ''))
export const seesCounty = computed(() => ['leader', 'dispatcher', 'supervisor'].includes(post.value?.role ?? ''))

actsIn(() => post.value?.id ?? null)

export async function begin(): Promise<void> {
  try {
    signedIn(await answered(api.GET('/sessions/me')))
  } catch (failure) {
    state.value = failure instanceof Refused && failure.problem.status === 401 ? 'out' : 'unreachable'
  }
}

/** An answer of the API; where the session has ended, the person is asked to sign in again. */
export async function ask<T>(call: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  try {
    return await answered(call)
  } catch (failure) {
    if (failure instanceof Refused && failure.problem.status === 401 && state.value === 'in') state.value = 'expired'
    if (failure instanceof Refused && failure.is('other-post')) void postSwitched()
    throw failure
  }
}

export async function signIn(given: string, password: string): Promise<void> {
  const kept = state.value === 'expired' ? (post.value?.id ?? null) : null
  const told = await answered(api.POST('/sessions', { body: { account: given, password, post_id: kept, device: '工作台' } }))
  account.value = given
  signedIn(told)
}

/** In another tab: this one shows what the login acts in by now. Drafts stay with the post they were written in. */
export async function postSwitched(): Promise<void> {
  const told = await answered(api.GET('/sessions/me')).catch(() => null)
  if (!told || told.post.id === post.value?.id) return
  signedIn(told)
  say(`您已在别处切换到${told.post.unit.name}的岗位，这里也已切换`)
}

export async function switchPost(id: number): Promise<void> {
  signedIn(await ask(api.POST('/sessions/current/post', { params: { header: { 'Idempotency-Key': randomKey() } }, body: { post_id: id } })))
}

export async function signOut(): Promise<void> {
  await api.DELETE('/sessions/current').catch(() => undefined)
  me.value = null
  state.value = 'out'
  queries.clear()
}

function signedIn(told: Me): void {
  const isAnother = me.value !== null && (me.value.post.id !== told.post.id || me.value.name !== told.name)
  me.value = told
  state.value = 'in'
  if (isAnother) queries.clear()
  else void queries.invalidateQueries()
}
