// Draws long lists a piece at a time, so that a tap does not wait for rows that are out of sight.
import { onUnmounted, ref, watch, type Ref } from 'vue'

/** Runs in a task of its own after the next paint. */
export function afterPaint(work: () => void): void {
  requestAnimationFrame(() => setTimeout(work))
}

/** The number of rows to draw: `piece` at first, and as many more after each paint until there are `wanted`. */
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
