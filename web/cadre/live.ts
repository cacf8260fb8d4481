// What changed at the server: one stream while the app is open; where it does not get through, the lists ask every 15 seconds.
import { ref } from 'vue'
import { queries } from './session.ts'

const AGAIN = 30_000
export const POLL = 15_000
export const isLive = ref(false)
let stream: EventSource | null = null
let timer: ReturnType<typeof setTimeout> | undefined

export function listen(): void {
  stop()
  if (typeof EventSource === 'undefined') return
  stream = new EventSource('/m/v1/cadre/live')
  stream.onopen = () => (isLive.value = true)
  stream.onmessage = (event: MessageEvent<string>) => changed((JSON.parse(event.data) as { ref?: string }).ref)
  stream.addEventListener('reload', () => void queries.invalidateQueries())
  stream.onerror = () => {
    isLive.value = false
    if (stream?.readyState !== EventSource.CLOSED) return
    clearTimeout(timer)
    timer = setTimeout(listen, AGAIN)
  }
}

export function stop(): void {
  clearTimeout(timer)
  stream?.close()
  stream = null
  isLive.value = false
}

export function changed(number: string | undefined): void {
  for (const key of [['list'], ['counts'], ['me'], ...(number ? [['case', number]] : [])]) void queries.invalidateQueries({ queryKey: key })
}

/** For `refetchInterval`. */
export const polling = () => (isLive.value ? false : POLL)
