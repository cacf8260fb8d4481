// Who is signed in on this phone. The token is in a cookie that no script can read; here is only whose it is.
import { ref } from 'vue'
import { forgetAll } from '@shared/outbox/store.ts'
import { Sender } from '@shared/outbox/sender.ts'

const KEY = 'qungong.known'
const EXPIRED = 'qungong.expired'

/** "139****1234", or null: nobody has signed in, or they signed out. */
export const known = ref<string | null>(read(KEY))
/** The session ended by itself: the same person is asked for a new code. */
export const expired = ref(read(EXPIRED) !== null)

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

export function masked(phone: string): string {
  const digits = phone.normalize('NFKC').replace(/\D/g, '').slice(-11)
  return `${digits.slice(0, 3)}****${digits.slice(-4)}`
}

export function signedIn(phone: string): void {
  known.value = masked(phone)
  expired.value = false
  write(KEY, known.value)
  write(EXPIRED, null)
  void sender.hurry()
}

export function sessionExpired(): void {
  if (!known.value) return
  expired.value = true
  write(EXPIRED, '1')
}

export async function signOut(): Promise<void> {
  // Without the typed client, which the first page does without.
  await fetch('/m/v1/sessions/current', { method: 'DELETE', headers: { 'X-Requested-With': 'page' } }).catch(() => undefined)
  known.value = null
  expired.value = false
  write(KEY, null)
  write(EXPIRED, null)
}

/** Signs out and removes all that this phone keeps: drafts, what waits to be sent, receipts. */
export async function forgetPhone(): Promise<void> {
  await signOut()
  await forgetAll()
  write('qungong.look', null)
  await sender.hurry()
}

export const sender = new Sender({
  as: 'citizen',
  current: () => (expired.value ? null : known.value),
  expired: sessionExpired,
})
