// Single keys without modifiers. They do nothing in a field, while an input method composes, or under a dialog.
import { onMounted, onUnmounted } from 'vue'

export type Keys = Record<string, (event: KeyboardEvent) => void>

interface Layer {
  keys: () => Keys
  /** Keys of the layers below do nothing. */
  alone: boolean
}

const layers: Layer[] = []
const WRITES = new Set(['INPUT', 'TEXTAREA', 'SELECT'])
const SECOND_KEY = 1_500
let first = { key: '', at: 0 }

/** Two keys one after the other are written "g j". Escape and combinations with Ctrl, written "ctrl+k", work in fields too. */
export function useKeys(keys: () => Keys, alone = false): void {
  const layer: Layer = { keys, alone }
  onMounted(() => layers.push(layer))
  onUnmounted(() => layers.splice(layers.indexOf(layer), 1))
}

export function press(event: KeyboardEvent, now = Date.now()): void {
  if (event.isComposing || event.key === 'Process' || event.altKey || event.defaultPrevented) return
  const key = event.ctrlKey || event.metaKey ? `ctrl+${event.key.toLowerCase()}` : event.key
  if (isWriting(event.target) && key !== 'Escape' && !key.startsWith('ctrl+')) return
  const both = now - first.at < SECOND_KEY ? `${first.key} ${key}` : ''
  for (const layer of [...layers].reverse()) {
    const known = layer.keys()
    const does = known[both] ?? known[key]
    if (does) {
      event.preventDefault()
      first = { key: '', at: 0 }
      does(event)
      return
    }
    if (layer.alone) break
  }
  first = { key, at: now }
}

function isWriting(at: EventTarget | null): boolean {
  if (!(at instanceof HTMLElement)) return false
  if (at instanceof HTMLInputElement && at.type === 'checkbox') return false
  return WRITES.has(at.tagName) || at.isContentEditable
}

export const listenToKeys = () => document.addEventListener('keydown', press)
