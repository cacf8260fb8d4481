// Which of the actions that the server offers comes first, and how the frequent ones ask for what they need.
import type { Field, Form } from '../../build/forms.ts'

/** The one next act, the most pressing first. */
const NEXT = [
  'sign', 'reply_supervision', 'decide_extension', 'decide_wait', 'decide_review', 'decide_reexamination', 'settle', 'approve_answer',
  'dispatch', 'assist_answer', 'answer', 'handle', 'supply', 'resume', 'progress', 'press',
]
/** What often stands beside it. */
const BESIDE: Record<string, string> = {
  answer: 'progress', handle: 'escalate', press: 'instruct', assist_answer: 'progress', sign: 'hand_back', dispatch: 'handle', reply_supervision: 'progress',
}
/** The stage that an action ends. */
export const STAGES: Record<string, string> = {
  sign: 'sign', handle: 'judge', escalate: 'judge', dispatch: 'judge', answer: 'handle', assist_answer: 'assist', reply_supervision: 'supervised_reply',
  settle: 'hand_back_decision', decide_extension: 'extension_decision', decide_wait: 'wait_decision', decide_review: 'review', decide_reexamination: 'reexamination',
}
/** Done by one tap. */
export const AT_ONCE = new Set(['sign'])

interface Better {
  label?: string
  hint?: string
  placeholder?: string
}

const BETTER: Record<string, Record<string, Better>> = {
  escalate: { finding: { label: '核实情况和为何解决不了', hint: '上一级据此研判，请写清楚去看了什么、缺什么。', placeholder: '如：已到现场核实，供水主管在荣隆镇，社区无法协调' } },
  answer: { outcome: { label: '办理结果' }, answer: { placeholder: '如：13至17栋已于今日18时恢复供水', hint: '群众会收到短信，请说清楚怎么解决的。' } },
  progress: { report: { label: '办到哪一步了', placeholder: '如：已找到漏点，正在抢修' }, tell_reporter: { label: '同时告诉群众', hint: '发短信，并显示在群众的进度里' } },
  assist_answer: { answer: { placeholder: '如：管网已修复，水压正常' } },
  hand_back: { reason: { placeholder: '如：该路段不在本镇辖区' } },
  extend: { reason: { placeholder: '如：主管更换须停水施工', hint: '批准后告知群众。' } },
  press: { note: { placeholder: '如：群众生活受影响，请尽快恢复' } },
  instruct: { instruction: { placeholder: '如：请荣隆镇今日内先送水上门' } },
  supervise: { demand: { placeholder: '如：请三日内恢复供水，并书面说明停水原因' } },
  send_down: { to_code: { label: '退回哪个下级单位' } },
}
const ORDER: Record<Field['kind'], number> = { unit: 0, other: 1, choice: 2, number: 3, date: 3, text: 4, paragraphs: 5, flag: 7 }
const FILES = new Set(['photos', 'voices'])

export type ActField = Field & Better
/** What must be decided or filled in comes before what may be left out. */
const rank = (field: Field) => (field.kind === 'flag' && field.required ? 2 : ORDER[field.kind]) + (field.required ? 0 : 0.5)

export interface Sorted {
  /** The big button. */
  next: string | undefined
  /** What often stands beside it. */
  beside: string | undefined
  more: string[]
}

/** The actions of one face, by the forms that were made from its API. */
export function actsOf(forms: readonly Form[]) {
  const byAction = new Map(forms.map((form) => [form.action, form]))
  const labelOf = (action: string) => byAction.get(action)?.label ?? ''

  function formOf(action: string): Form | undefined {
    const plain = byAction.get(action)
    if (!plain) return undefined
    const fields = plain.fields.filter((field) => !FILES.has(field.name)).map((field) => ({ ...field, ...BETTER[action]?.[field.name] }))
    return { ...plain, fields: fields.sort((one, other) => rank(one) - rank(other)) }
  }

  const takesFiles = (action: string, name: 'photos' | 'voices') => Boolean(byAction.get(action)?.fields.some((field) => field.name === name))

  /** Only what this face can do. */
  function sorted(actions: readonly string[]): Sorted {
    const offered = actions.filter((action) => labelOf(action))
    const next = NEXT.find((action) => offered.includes(action))
    const usual = next && BESIDE[next]
    const beside = usual && offered.includes(usual) ? usual : undefined
    return { next, beside, more: offered.filter((action) => action !== next && action !== beside) }
  }

  return { formOf, labelOf, sorted, takesFiles }
}

/** Working days that a unit may be given. */
const DAYS = { least: 1, most: 60 } as const
const isDays = (days: unknown) => days === undefined || (Number.isInteger(days) && Number(days) >= DAYS.least && Number(days) <= DAYS.most)

/** What is wrong with a body that is to be sent; empty where nothing is. */
export function mistake(fields: readonly Field[], given: Record<string, unknown>): string {
  for (const field of fields) {
    const value = given[field.name]
    const isEmpty = value === undefined || value === null || (typeof value === 'string' && !value.trim())
    if (isEmpty && field.required) return field.kind === 'choice' || field.kind === 'flag' || field.kind === 'unit' ? `请选择“${field.label}”。` : `请填写“${field.label}”。`
    if (field.kind === 'other' && ![value].flat().every((part) => isDays((part as { days?: unknown } | undefined)?.days))) return `“几日”应为 ${DAYS.least} 至 ${DAYS.most} 之间的整数。`
    if (!isEmpty && field.kind === 'number') {
      const number = Number(value)
      if (!Number.isInteger(number) || number < (field.least ?? -Infinity) || number > (field.most ?? Infinity)) return `“${field.label}”应为 ${field.least ?? 1} 至 ${field.most ?? 999} 之间的整数。`
    }
  }
  return ''
}

/** Only what was filled in, with numbers as numbers. */
export function bodyOf(fields: readonly Field[], given: Record<string, unknown>): Record<string, unknown> {
  const body: Record<string, unknown> = {}
  for (const field of fields) {
    const value = given[field.name]
    if (value === undefined || value === null || value === '' || (Array.isArray(value) && !value.length)) continue
    body[field.name] = field.kind === 'number' ? Number(value) : value
  }
  return body
}

/** A unit with its task and its days: the lead, or one of those that assist. */
export interface Part {
  unit_code: string
  /** For the page only. */
  name: string
  task: string
  days: string
}

export const NO_PART: Part = { unit_code: '', name: '', task: '', days: '' }

/** As the API takes it. */
const partOf = (part: Part) => ({ unit_code: part.unit_code, ...(part.task.trim() && { task: part.task.trim() }), ...(part.days && { days: Number(part.days) }) })

/** What is sent: parts without a unit are left out. */
export function bodyWithParts(fields: readonly Field[], given: Record<string, unknown>): Record<string, unknown> {
  const body = bodyOf(fields, given)
  const lead = body['lead'] as Part | undefined
  if (lead?.unit_code) body['lead'] = partOf(lead)
  else delete body['lead']
  if (Array.isArray(body['assistants'])) body['assistants'] = (body['assistants'] as Part[]).filter((part) => part.unit_code).map(partOf)
  return body
}
