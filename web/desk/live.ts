// What changed at the server. The open case and the counts refresh by themselves; the list waits until it is asked to, so that it does not jump.
import { computed, ref } from 'vue'
import { queries } from './session.ts'

const AGAIN = 30_000
export const POLL = 15_000
export const isLive = ref(false)
const changed = ref(new Set<string>())
export const changes = computed(() => changed.value.size)
let stream: EventSource | null = null
let timer: ReturnType<typeof setTimeout> | undefined
/** A stream that begins tells of the last minute again, which a list that has just been asked for shows already. */
const BEGINS = 3_000
let fresh = 0
/** Changes that this page made are no news to it. */
const own = new Map<string, number>()
const OWN = 10_000

export function listen(): void {
  stop()
  if (!fresh) fresh = Date.now() + BEGINS
  if (typeof EventSource === 'undefined') return
  stream = new EventSource('/api/v1/live')
  stream.onopen = () => (isLive.value = true)
  stream.onmessage = (event: MessageEvent<string>) => heard((JSON.parse(event.data) as { ref?: string }).ref)
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

function heard(number: string | undefined): void {
  if (!number) return
  void queries.invalidateQueries({ queryKey: ['counts'] })
  void queries.invalidateQueries({ queryKey: ['case', number] })
  if ((own.get(number) ?? 0) > Date.now() - OWN) void queries.invalidateQueries({ queryKey: ['list'] })
  else if (Date.now() > fresh) changed.value = new Set([...changed.value, number])
}

/** The list as it is now. */
export async function catchUp(): Promise<void> {
  changed.value = new Set()
  await queries.invalidateQueries({ queryKey: ['list'] })
}

export async function changedHere(number: string): Promise<void> {
  own.set(number, Date.now())
  await Promise.all([['list'], ['counts'], ['case', number]].map((key) => queries.invalidateQueries({ queryKey: key })))
}

/** For `refetchInterval`. */
export const polling = () => (isLive.value ? false : POLL)
