import { expect, test } from 'vitest'
import { remaining } from './remaining.ts'

const now = new Date('2026-11-30T14:05:00+08:00')
const words = (due: string) => remaining({ due }, now).words

test('remaining time is told in the unit that matters', () => {
  expect(words('2026-11-30T14:35:00+08:00')).toBe('还剩 30 分钟')
  expect(words('2026-11-30T17:30:00+08:00')).toBe('今天 17:30 到期')
  expect(words('2026-12-01T17:30:00+08:00')).toBe('明天 17:30 到期')
  expect(words('2026-12-02T17:05:00+08:00')).toBe('还剩 2 天 3 小时')
  expect(words('2026-12-10T17:30:00+08:00')).toBe('还剩 10 天')
})

test('an overdue limit says by how much', () => {
  expect(words('2026-11-30T13:55:00+08:00')).toBe('已超期 10 分钟')
  expect(words('2026-11-30T10:00:00+08:00')).toBe('已超期 4 小时')
  expect(words('2026-11-28T17:30:00+08:00')).toBe('已超期 2 天')
  expect(remaining({ due: '2026-11-28T17:30:00+08:00' }, now).urgency).toBe('overdue')
})

test('urgency follows the reminder, and a day before the end without one', () => {
  const due = '2026-12-04T17:30:00+08:00'
  expect(remaining({ due, remind: '2026-12-01T17:30:00+08:00' }, now).urgency).toBe('calm')
  expect(remaining({ due, remind: '2026-11-30T09:00:00+08:00' }, now).urgency).toBe('soon')
  expect(remaining({ due: '2026-12-01T09:00:00+08:00' }, now).urgency).toBe('soon')
})

test('a paused limit says why it stands still', () => {
  expect(remaining({ due: null, paused: '等待群众补充材料' }, now)).toMatchObject({ words: '暂停计时：等待群众补充材料', urgency: 'paused' })
})
