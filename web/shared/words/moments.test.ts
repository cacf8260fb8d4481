import { expect, test } from 'vitest'
import { before, day, daysBetween, moment } from './moments.ts'
import { shown } from './numbers.ts'

const now = new Date('2026-11-30T10:00:00+08:00')

test('a moment is told in the time of China', () => {
  expect(moment('2026-11-30T06:05:00Z', now)).toBe('11月30日(周一) 14:05')
  expect(moment('2026-11-30T17:00:00Z', now)).toBe('12月1日(周二) 01:00')
})

test('another year is named', () => {
  expect(day('2025-12-31T12:00:00+08:00', now)).toBe('2025年12月31日(周三)')
})

test('days are counted between midnights of China', () => {
  expect(daysBetween(new Date('2026-11-30T23:59:00+08:00'), new Date('2026-12-01T00:01:00+08:00'))).toBe(1)
})

test('telephone numbers are told as people write them', () => {
  expect(shown('+8613800138000')).toBe('138 0013 8000')
  expect(shown('12345')).toBe('12345')
})

test('a limit that ends with its day is told by the day', () => {
  expect(before('2026-12-03T23:59:59+08:00', now)).toBe('12月3日(周四)以前')
  expect(before('2026-12-03T17:30:00+08:00', now)).toBe('12月3日(周四) 17:30以前')
})
