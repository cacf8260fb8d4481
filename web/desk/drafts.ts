// Drafts, kept in the browser at every keystroke, each for the post that writes it.
import { post } from './session.ts'

const PREFIX = 'qungong.desk.draft'
const keyOf = (number: string, action: string) => `${PREFIX}/${post.value?.id ?? 0}/${number}/${action}`

export interface Draft {
  fields: Record<string, unknown>
  /** The version of the case that was on the page when writing began. */
  seen: number | null
}

export function draft(number: string, action: string): Draft | null {
  try {
    return JSON.parse(localStorage.getItem(keyOf(number, action)) ?? 'null') as Draft | null
  } catch {
    return null
  }
}

/** Whether it was kept. */
export function keepDraft(number: string, action: string, written: Draft): boolean {
  try {
    localStorage.setItem(keyOf(number, action), JSON.stringify(written))
    return true
  } catch {
    return false
  }
}

/** After a 412: the next try goes by the version that the page shows by then. */
export function forgetVersion(number: string, action: string): void {
  const written = draft(number, action)
  if (written) keepDraft(number, action, { ...written, seen: null })
}

export const dropDraft = (number: string, action: string) => localStorage.removeItem(keyOf(number, action))

/** For signing out: another person may use this browser next. */
export function dropDrafts(): void {
  for (const key of Object.keys(localStorage)) if (key.startsWith(`${PREFIX}/${post.value?.id ?? 0}/`)) localStorage.removeItem(key)
}
