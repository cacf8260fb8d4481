// What this person sends: kept on the phone until the server has it, each once.
import { computed, shallowRef } from 'vue'
import { dropSent, type KeptFile, type Outgoing } from '@shared/outbox/store.ts'
import { randomKey } from '@shared/words/random.ts'
import { changed } from './live.ts'
import { owner, sender } from './session.ts'
import { say } from '@shared/look/snack.ts'

// As it lies in the phone's storage, which takes no proxies.
const all = shallowRef<Outgoing[]>([])
/** Of the person who is signed in. What another one left waits for them. */
export const waiting = computed(() => all.value.filter((item) => !item.owner || item.owner === owner.value))
export const ofOthers = computed(() => all.value.filter((item) => item.owner && item.owner !== owner.value))

sender.listen((items) => {
  const now = new Set(items.map((item) => item.id))
  for (const gone of all.value.filter((item) => !now.has(item.id))) arrived(gone)
  all.value = items
})

const undone = new Set<string>()

function arrived(item: Outgoing): void {
  if (undone.delete(item.id)) return
  changed(caseOf(item))
  if (!caseOf(item)) return
  // The case itself says what became of it; nothing of it stays on the phone.
  void dropSent(item.id)
  say(`已${item.title}`)
}

/** The case that an action is for. */
export const caseOf = (item: Outgoing) => item.path.match(/^\/cadre\/cases\/([^/]+)\/[^/]+$/)?.[1]
export const actionOf = (item: Outgoing) => item.path.split('/').at(-1)?.replaceAll('-', '_') ?? ''
export const pathOf = (number: string, action: string) => `/cadre/cases/${number}/${action.replaceAll('_', '-')}`

/** Where the photos and recordings of a case are. */
export const filesOf = (number: string) => `/m/v1/cadre/cases/${number}`

export interface Given {
  title: string
  path: string
  body: Record<string, unknown>
  /** The version of the case that was seen. */
  version?: number | null
  files?: KeptFile[]
  draftKey?: string | null
  /** Milliseconds in which it can be taken back. */
  held?: number
}

export async function send(given: Given): Promise<string> {
  const id = randomKey()
  const now = Date.now()
  await sender.post({
    id, owner: owner.value, title: given.title, path: given.path, body: given.body, files: given.files ?? [],
    seen: given.version == null ? null : `"${given.version}"`,
    createdAt: now, state: 'waiting', tries: 0, nextTryAt: given.held ? now + given.held : 0, problem: null,
  }, given.draftKey ?? null)
  return id
}

/** Sent after a few seconds unless it is taken back. */
export async function sendUnlessTakenBack(given: Given, words: string): Promise<void> {
  const held = 4_000
  const id = await send({ ...given, held })
  say(words, () => void drop(id), held)
}

export async function drop(id: string): Promise<void> {
  undone.add(id)
  await sender.drop(id)
}
