// One short sentence at the bottom, for a few seconds; with a way back where there is one.
import { ref } from 'vue'

export interface Snack {
  words: string
  undo: (() => void) | null
}

const SHOWN = 4_000
export const snack = ref<Snack | null>(null)
let timer: ReturnType<typeof setTimeout> | undefined

export function say(words: string, undo: (() => void) | null = null, during = SHOWN): void {
  clearTimeout(timer)
  snack.value = {
    words,
    undo: undo && (() => {
      undo()
      snack.value = null
    }),
  }
  timer = setTimeout(() => (snack.value = null), during)
}
