// Words for what the API names by codes.
import type { components } from '@shared/api/phones'
import type { Limit } from '@shared/due/remaining.ts'

export type CaseItem = components['schemas']['CaseItem']
export type CaseDetail = components['schemas']['CaseDetail']
/** Those that are counted: one's own. */
export type View = Exclude<components['schemas']['ViewCount']['view'], 'open'>

export const VIEWS: { view: View; label: string; empty: string }[] = [
  { view: 'to_judge', label: '待研判', empty: '新收到的、上级转来的事会出现在这里，研判后本级办理或上报。' },
  { view: 'to_sign', label: '待签收', empty: '指挥中心交给本单位的事会出现在这里，签收后开始办理。' },
  { view: 'handling', label: '办理中', empty: '本单位正在办理的事会出现在这里。' },
  { view: 'assisting', label: '我协办', empty: '请本单位协办、还没有答复的事会出现在这里。' },
  { view: 'to_decide', label: '待审批', empty: '等本单位审批的延期、挂起、退回和复查会出现在这里。' },
  { view: 'to_reply', label: '待回复督办', empty: '被督办、还没有回复的事会出现在这里。' },
  { view: 'registered', label: '我登记的', empty: '您代群众登记的事会出现在这里，办到哪一步都看得到。' },
  { view: 'finished', label: '已办结', empty: '本单位办结的事会出现在这里。' },
]

/** Views that a role always has before it, also when nothing is in them. */
const USUAL: Record<string, View[]> = {
  village_cadre: ['to_judge', 'handling', 'registered', 'finished'],
  township_clerk: ['to_judge', 'to_sign', 'handling', 'assisting', 'registered', 'finished'],
  unit_handler: ['to_sign', 'handling', 'assisting', 'finished'],
  unit_head: ['to_sign', 'handling', 'assisting', 'finished'],
  dispatcher: ['to_judge', 'handling', 'to_decide', 'registered', 'finished'],
  supervisor: ['to_decide', 'finished'],
}

export function viewsOf(role: string, counts: Partial<Record<View, number>>): typeof VIEWS {
  const usual = USUAL[role] ?? ['finished']
  return VIEWS.filter((one) => usual.includes(one.view) || (counts[one.view] ?? 0) > 0)
}

export const WAITING: Record<string, string> = {
  supplement: '等群众补充材料', outside_authority: '等县外机关办理', suspended: '列为长期项目',
}
export const KINDS = [
  { value: 'help', label: '求助' }, { value: 'complaint', label: '投诉' },
  { value: 'suggestion', label: '建议' }, { value: 'question', label: '咨询' },
  { value: 'accusation', label: '检举控告' },
] as const
export const TO_DECIDE: Record<string, string> = {
  hand_back_decision: '退回申请', extension_decision: '延期申请', wait_decision: '挂起申请', review: '复查', reexamination: '复核',
}
export const PART_STATES: Record<string, string> = {
  offered: '待签收', signed: '已签收', answered: '已答复', excused: '免予协办', handed_back: '已退回', released: '已解除',
}
export const CHANNELS: Record<string, string> = { poster: '群众扫码', cadre: '村(社区)代登记', clerk: '工作人员代登记', hotline: '热线' }
export const OUTCOMES: Record<string, string> = { solved: '已解决', explained: '政策解释', partly_solved: '部分解决', passed_on: '转有权机关' }
const BY: Record<string, string> = {
  reporter: '群众', system: '系统', leader: '县领导', dispatcher: '指挥中心', supervisor: '督查', unit_head: '单位负责人',
}
const NEWS = { given: '新交来', added: '补充', pressed: '催办', instructed: '批示' } as const

export const kindOf = (kind: string) => KINDS.find((one) => one.value === kind)?.label ?? ''

/** "县领导批示", "群众催办"; what was only given needs no word beside its time. */
export function newsOf(item: CaseItem): string[] {
  return [...new Set(item.news.filter((one) => one.what !== 'given').map((one) => `${BY[one.by] ?? ''}${NEWS[one.what]}`))]
}

const OVER = new Set(['answered', 'closed', 'withdrawn', 'declined', 'merged'])
export const isOver = (phase: string) => OVER.has(phase)

/** What a card counts down to: the asker's own part, or the present stage. */
export function limitOf(item: CaseItem): Limit {
  if (item.part_due_at) return { due: item.part_due_at }
  if (isOver(item.phase)) return { due: null, done: true }
  if (item.waiting) return { due: null, paused: WAITING[item.waiting] ?? '等待中' }
  return { due: item.stage_due_at ?? item.due_at }
}

/** The present stage of an open case: its name, and what it counts down to. */
export function stageOf(told: CaseDetail): { label: string; limit: Limit } {
  if (isOver(told.phase)) return { label: '', limit: { due: null, done: true } }
  if (told.waiting) return { label: '', limit: { due: null, paused: WAITING[told.waiting] ?? '等待中' } }
  const clock = told.clocks.find((one) => one.stage === told.stage && !one.ended_at)
  return { label: clock?.stage_label ?? '', limit: { due: told.stage_due_at ?? told.due_at, remind: clock?.remind_at ?? null } }
}
