// What is being written, kept on the phone at every keystroke, for this person alone.
import { onMounted, reactive, ref, toRaw } from 'vue'
import { draft, dropDraft, keepDraft, type KeptFile } from '@shared/outbox/store.ts'
import { owner } from './session.ts'

export function useDraft<Fields extends Record<string, unknown>>(name: string, empty: Fields) {
  const key = `${name}/${owner.value}`
  const fields = reactive({ ...empty }) as Record<string, unknown>
  const files = ref<KeptFile[]>([])
  const isKept = ref(true)
  const isRestored = ref(false)
  let saving: Promise<void> = Promise.resolve()

  onMounted(async () => {
    const kept = await draft(key).catch(() => undefined)
    if (!kept) return
    Object.assign(fields, kept.fields)
    files.value = kept.files
    isRestored.value = true
  })

  const isEmpty = () => !files.value.length && Object.entries(fields).every(([one, value]) => !value || value === empty[one])

  function keep(): void {
    // One after the other: the last change is the one that stays.
    saving = saving.then(async () => {
      try {
        if (isEmpty()) await dropDraft(key)
        else await keepDraft({ key, fields: plain(fields), files: files.value.map((file) => ({ ...toRaw(file) })), changedAt: Date.now() })
        isKept.value = true
      } catch {
        isKept.value = false
      }
    })
  }

  function change(field: KeptFile['field'], kept: KeptFile[]): void {
    files.value = [...files.value.filter((file) => file.field !== field), ...kept]
    keep()
  }

  return { key, fields, files, isKept, isRestored, keep, change, saved: () => saving, plainFiles: () => files.value.map((file) => ({ ...toRaw(file) })) }
}

/** IndexedDB takes no proxies. */
export function plain<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T
}
