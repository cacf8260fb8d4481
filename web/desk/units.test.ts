import { expect, test, vi } from 'vitest'

vi.mock('@tanstack/vue-query', () => ({ useQuery: () => undefined }))
vi.mock('./client.ts', () => ({ api: {} }))
vi.mock('./session.ts', () => ({ ask: () => undefined }))
const { found } = await import('./units.ts')

const unit = (code: string, name: string, kind: string, initials: string) => ({ code, name, short_name: null, kind, parent: null, initials }) as never
const UNITS = [unit('1', '水务村', 'village', 'swc'), unit('2', '荣昌区水务局', 'department', 'swj'), unit('3', '荣隆镇', 'township', 'rlz'), unit('4', '荣昌区生态环境局', 'department', 'sthjj')]
const names = (typed: string) => found(UNITS, typed).map((one) => one.name)

test('a unit is found by letters of its name, departments and townships before villages', () => {
  expect(names('水务')).toEqual(['荣昌区水务局', '水务村'])
})

test('a unit is found by the first letters of its reading, in either case', () => {
  expect(names('SWJ')).toEqual(['荣昌区水务局'])
  expect(names('rl')).toEqual(['荣隆镇'])
})

test('nothing typed finds nothing', () => {
  expect(names('  ')).toEqual([])
})
