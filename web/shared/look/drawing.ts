// Long pages are drawn a piece at a time, so that a tap never waits for what is out of sight.
import { onUnmounted, ref, watch, type Ref } from 'vue'

/** After the next paint, and not in the same task as it. */
export function afterPaint(work: () => void): void {
  requestAnimationFrame(() => setTimeout(work))
}

/** How many of `wanted` are drawn by now: so many at once, and as many more after each paint. */
export function usePieces(wanted: () => number, piece: number): Ref<number> {
  const drawn = ref(piece)
  let isGone = false
  onUnmounted(() => (isGone = true))
  const more = (): void => {
    if (isGone || drawn.value >= wanted()) return
    drawn.value += piece
    afterPaint(more)
  }
  watch(wanted, () => afterPaint(more), { immediate: true })
  return drawn
}
