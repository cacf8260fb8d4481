// Changes at the server. The open case and the counts refresh by themselves; the list waits for the dispatcher, so that it does not jump.
import { computed, ref } from 'vue'
import { changesOf } from '@shared/api/live.ts'
import { queries } from './session.ts'

const stream = changesOf('/api/v1/live', heard, () => void queries.invalidateQueries())
export const { isLive, stop, polling } = stream
const changed = ref(new Set<string>())
export const changes = computed(() => changed.value.size)
/** A new stream repeats the changes of the last minute; a list that was just loaded shows them already. Milliseconds. */
const BEGINS = 3_000
let fresh = 0
/** Changes made by this page are not announced to it. */
const own = new Map<string, number>()
const OWN = 10_000

export function listen(): void {
  if (!fresh) fresh = Date.now() + BEGINS
  stream.listen()
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
