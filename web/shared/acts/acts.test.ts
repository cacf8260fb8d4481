import { expect, test } from 'vitest'
import { NO_PART, actsOf, bodyOf, bodyWithParts, mistake } from './acts.ts'

const { formOf, sorted, takesFiles } = actsOf(
  ['sign', 'hand_back', 'escalate', 'handle', 'recategorise', 'progress'].map((action) => ({
    action, label: action, hint: '', path: '', fields: [
      { name: 'photos', label: '照片', hint: '', kind: 'other' as const, required: false, longest: null, least: null, most: null, choices: [] },
    ],
  })),
)

const field = (different: object) => ({ name: 'days', label: '几天', hint: '', kind: 'number' as const, required: true, longest: null, least: 1, most: 30, choices: [], ...different })

test('the next act and the one beside it come first', () => {
  expect(sorted(['recategorise', 'escalate', 'handle'])).toEqual({ next: 'handle', beside: 'escalate', more: ['recategorise'] })
  expect(sorted(['hand_back', 'sign'])).toMatchObject({ next: 'sign', beside: 'hand_back', more: [] })
})

test('an action without a form on this phone is not offered', () => {
  expect(sorted(['unheard_of'])).toEqual({ next: undefined, beside: undefined, more: [] })
})

test('photos are no field of the form but taken where the action takes them', () => {
  expect(formOf('progress')?.fields).toEqual([])
  expect(takesFiles('progress', 'photos')).toBe(true)
})

test('a number outside its limits is named', () => {
  expect(mistake([field({})], { days: '31' })).toContain('1 至 30')
  expect(mistake([field({})], {})).toBe('请填写“几天”。')
  expect(mistake([field({})], { days: '5' })).toBe('')
})

test('only what was filled in is sent, numbers as numbers', () => {
  const fields = [field({}), field({ name: 'note', kind: 'paragraphs' })]
  expect(bodyOf(fields, { days: '5', note: '' })).toEqual({ days: 5 })
})

test('days of a unit are a whole number, or left out', () => {
  const lead = field({ name: 'lead', kind: 'other' as const, required: true })
  const given = (days: string) => bodyWithParts([lead], { lead: { ...NO_PART, unit_code: '1', days } })
  expect(mistake([lead], given('三'))).toContain('1 至 60')
  expect(mistake([lead], given('61'))).toContain('1 至 60')
  expect(mistake([lead], given('7'))).toBe('')
  expect(mistake([lead], given(''))).toBe('')
})
