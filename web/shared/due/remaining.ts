// The time that is left, in words: one wording on every page.
import { daysBetween, moment, timeOfDay } from '../words/moments.ts'

export type Urgency = 'calm' | 'soon' | 'overdue' | 'paused' | 'done'

export interface Remaining {
  words: string
  urgency: Urgency
  /** The moment itself, for whoever taps. */
  exact: string
}

export interface Limit {
  due: string | null
  /** From this moment on it is soon. */
  remind?: string | null
  paused?: string | null
  done?: boolean
}

const HOUR = 3_600_000
const DAY = 24 * HOUR

export function remaining(limit: Limit, now = new Date()): Remaining {
  if (limit.done) return { words: '已办结', urgency: 'done', exact: '' }
  if (limit.paused) return { words: `暂停计时：${limit.paused}`, urgency: 'paused', exact: '' }
  if (!limit.due) return { words: '暂停计时', urgency: 'paused', exact: '' }
  const due = new Date(limit.due)
  const left = due.getTime() - now.getTime()
  const exact = `${moment(due, now)} 到期`
  if (left < 0) return { words: overdue(due, now), urgency: 'overdue', exact }
  const isSoon = limit.remind ? new Date(limit.remind) <= now : left < DAY
  return { words: inTime(due, left, now), urgency: isSoon ? 'soon' : 'calm', exact }
}

function inTime(due: Date, left: number, now: Date): string {
  const days = daysBetween(now, due)
  if (days === 0) return left < HOUR ? `还剩 ${Math.max(1, Math.floor(left / 60_000))} 分钟` : `今天 ${timeOfDay(due)} 到期`
  if (days === 1) return `明天 ${timeOfDay(due)} 到期`
  const hours = Math.floor((left % DAY) / HOUR)
  return left < 3 * DAY && hours ? `还剩 ${Math.floor(left / DAY)} 天 ${hours} 小时` : `还剩 ${days} 天`
}

function overdue(due: Date, now: Date): string {
  const days = daysBetween(due, now)
  if (days > 0) return `已超期 ${days} 天`
  const minutes = Math.floor((now.getTime() - due.getTime()) / 60_000)
  return minutes < 60 ? `已超期 ${Math.max(1, minutes)} 分钟` : `已超期 ${Math.floor(minutes / 60)} 小时`
}
