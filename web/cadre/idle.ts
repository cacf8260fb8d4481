// Locks the shared phone when nobody has touched it for five minutes.
import { isShared, lock, needsSignIn } from './session.ts'

export const IDLE = 5 * 60_000
const EVERY = 15_000

export function watchIdle(): void {
  let touched = Date.now()
  const touch = () => (touched = Date.now())
  const look = () => {
    if (isShared.value && !needsSignIn.value && Date.now() - touched >= IDLE) void lock()
  }
  addEventListener('pointerdown', touch, { passive: true })
  addEventListener('keydown', touch, { passive: true })
  // A phone that slept has no timers: it looks as soon as it wakes.
  document.addEventListener('visibilitychange', look)
  setInterval(look, EVERY)
}
