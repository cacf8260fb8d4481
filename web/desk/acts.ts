// The actions of the staff's API, and the keys of the frequent ones.
import forms from '@shared/api/forms/desk.json'
import { actsOf } from '@shared/acts/acts.ts'
import type { Form } from '../build/forms.ts'

export interface DeskForm extends Form {
  initials: string
}

export const { formOf, labelOf, sorted } = actsOf(forms as DeskForm[])
export const initialsOf = (action: string) => (forms as DeskForm[]).find((form) => form.action === action)?.initials ?? ''

export const KEYS: Record<string, string[]> = {
  d: ['dispatch', 'change_lead'], e: ['escalate', 'send_down'], s: ['sign', 'settle'], r: ['answer', 'assist_answer', 'reply_supervision'], p: ['press'], h: ['handle'], i: ['instruct'],
  b: ['hand_back'], y: ['decide_extension', 'decide_wait', 'decide_review', 'decide_reexamination', 'approve_answer'], w: ['progress'], m: ['merge'], t: ['recategorise'],
}

/** The key of an action, for those that are offered. */
export function keyOf(action: string, offered: readonly string[]): string {
  const found = Object.entries(KEYS).find(([, actions]) => actions.find((one) => offered.includes(one)) === action)
  return found?.[0] ?? ''
}
