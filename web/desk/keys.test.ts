// @vitest-environment node
import { beforeEach, expect, test, vi } from 'vitest'

vi.mock('vue', () => ({ onMounted: (work: () => void) => work(), onUnmounted: () => undefined }))
class Element {
  isContentEditable = false
  type = ''
  constructor(readonly tagName: string) {}
}
vi.stubGlobal('HTMLElement', Element)
vi.stubGlobal('HTMLInputElement', class extends Element {})
const { press, useKeys } = await import('./keys.ts')

const done: string[] = []
const key = (name: string, more: object = {}) => ({ key: name, target: new Element('BODY'), isComposing: false, ctrlKey: false, metaKey: false, altKey: false, defaultPrevented: false, preventDefault: () => undefined, ...more }) as unknown as KeyboardEvent
const log = (name: string) => () => void done.push(name)
useKeys(() => ({ j: log('j'), 'g j': log('g j'), d: log('d'), Escape: log('Escape'), 'ctrl+k': log('ctrl+k') }))
beforeEach(() => void (done.length = 0))

test('a single key does its work', () => {
  press(key('d'))
  expect(done).toEqual(['d'])
})

test('keys do nothing in a field, but Escape and those with Ctrl do', () => {
  const target = new Element('TEXTAREA')
  for (const name of ['d', 'j']) press(key(name, { target }))
  press(key('Escape', { target }))
  press(key('k', { target, ctrlKey: true }))
  expect(done).toEqual(['Escape', 'ctrl+k'])
})

test('keys do nothing while an input method composes, nor with Alt', () => {
  press(key('d', { isComposing: true }))
  press(key('Process'))
  press(key('d', { altKey: true }))
  expect(done).toEqual([])
})

test('two keys one after the other are a key of their own, for a short while', () => {
  press(key('g'), 1_000)
  press(key('j'), 1_500)
  press(key('g'), 10_000)
  press(key('j'), 20_000)
  expect(done).toEqual(['g j', 'j'])
})

test('a dialog leaves nothing to the desk below it', () => {
  useKeys(() => ({ Escape: log('closes') }), true)
  press(key('d'))
  press(key('Escape'))
  expect(done).toEqual(['closes'])
})
