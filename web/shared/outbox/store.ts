// What the phone keeps until the server has it: drafts, what is on its way, and receipts. IndexedDB.
import { openDB, type DBSchema, type IDBPDatabase } from 'idb'
import type { Problem } from '../api/problems.ts'

/** Photos and recordings lie as bytes: older Safari cannot keep a Blob. */
export interface KeptFile {
  field: 'photos' | 'voices'
  bytes: ArrayBuffer
  type: string
  /** Given by the server when the file arrived there. */
  id: string | null
}

export interface Outgoing {
  /** Also the Idempotency-Key, so that sending twice counts once. */
  id: string
  /** Whose it is, as `known` names people; null until the first sign-in. */
  owner: string | null
  title: string
  path: string
  body: Record<string, unknown>
  /** What the sender had seen of a case, as its ETag. */
  seen: string | null
  files: KeptFile[]
  createdAt: number
  state: 'waiting' | 'sign-in' | 'refused'
  tries: number
  nextTryAt: number
  problem: Problem | null
}

/** What the server answered to something that was sent. */
export interface Sent {
  id: string
  owner: string | null
  path: string
  title: string
  sentAt: number
  answer: Record<string, unknown>
}

export interface Draft {
  /** What it is a draft of: `report/500153003007`, `escalate/500153-…`. */
  key: string
  fields: Record<string, unknown>
  files: KeptFile[]
  changedAt: number
}

interface Tables extends DBSchema {
  drafts: { key: string; value: Draft }
  outgoing: { key: string; value: Outgoing }
  sent: { key: string; value: Sent }
}

let opened: Promise<IDBPDatabase<Tables>> | null = null
let name = 'qungong'

/** Each face keeps its own: a cadre's phone may be a citizen's as well. To be called before anything else. */
export function keepIn(database: string): void {
  name = database
  opened = null
}

export function keptIn(): string {
  return name
}

function database(): Promise<IDBPDatabase<Tables>> {
  opened ??= openDB<Tables>(name, 1, {
    upgrade(made) {
      made.createObjectStore('drafts', { keyPath: 'key' })
      made.createObjectStore('outgoing', { keyPath: 'id' })
      made.createObjectStore('sent', { keyPath: 'id' })
    },
    terminated() {
      opened = null
    },
  })
  return opened
}

export async function draft(key: string): Promise<Draft | undefined> {
  return (await database()).get('drafts', key)
}

export async function keepDraft(kept: Draft): Promise<void> {
  await (await database()).put('drafts', kept)
}

export async function dropDraft(key: string): Promise<void> {
  await (await database()).delete('drafts', key)
}

/** The draft becomes something to send, at once or not at all. */
export async function post(item: Outgoing, draftKey: string | null): Promise<void> {
  const change = (await database()).transaction(['drafts', 'outgoing'], 'readwrite')
  void change.objectStore('outgoing').put(item)
  if (draftKey) void change.objectStore('drafts').delete(draftKey)
  await change.done
}

/** A refused item becomes a draft again. */
export async function takeBack(item: Outgoing, kept: Draft): Promise<void> {
  const change = (await database()).transaction(['drafts', 'outgoing'], 'readwrite')
  void change.objectStore('drafts').put(kept)
  void change.objectStore('outgoing').delete(item.id)
  await change.done
}

export async function outgoing(): Promise<Outgoing[]> {
  const items = await (await database()).getAll('outgoing')
  return items.sort((one, other) => one.createdAt - other.createdAt)
}

/** What was dropped or has arrived meanwhile, by another tab, does not come back. */
export async function keepOutgoing(item: Outgoing): Promise<void> {
  const change = (await database()).transaction('outgoing', 'readwrite')
  if (await change.store.getKey(item.id)) await change.store.put(item)
  await change.done
}

export async function dropOutgoing(id: string): Promise<void> {
  await (await database()).delete('outgoing', id)
}

export async function arrived(item: Outgoing, answer: Record<string, unknown>): Promise<void> {
  const change = (await database()).transaction(['outgoing', 'sent'], 'readwrite')
  const { id, owner, path, title } = item
  void change.objectStore('sent').put({ id, owner, path, title, sentAt: Date.now(), answer })
  void change.objectStore('outgoing').delete(item.id)
  await change.done
}

export async function sent(id: string): Promise<Sent | undefined> {
  return (await database()).get('sent', id)
}

export async function allSent(): Promise<Sent[]> {
  const found = await (await database()).getAll('sent')
  return found.sort((one, other) => other.sentAt - one.sentAt)
}

export async function dropSent(id: string): Promise<void> {
  await (await database()).delete('sent', id)
}

/** Everything that this phone keeps. */
export async function forgetAll(): Promise<void> {
  const change = (await database()).transaction(['drafts', 'outgoing', 'sent'], 'readwrite')
  for (const name of ['drafts', 'outgoing', 'sent'] as const) void change.objectStore(name).clear()
  await change.done
}
