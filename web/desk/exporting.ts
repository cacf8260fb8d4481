// A list, or what was found, as an Excel file.
import { inWords } from '@shared/api/problems.ts'
import type { components } from '@shared/api/staff'
import { say } from '@shared/look/snack.ts'
import { randomKey } from '@shared/words/random.ts'
import { api } from './client.ts'
import { ask } from './session.ts'

const KEPT = 60_000

export async function exportList(wanted: components['schemas']['ExportWanted']): Promise<void> {
  try {
    const made = await ask(api.POST('/cases/export', { params: { header: { 'Idempotency-Key': randomKey() } }, body: wanted, parseAs: 'blob' }))
    const link = document.createElement('a')
    link.href = URL.createObjectURL(made as unknown as Blob)
    link.download = `${wanted.title}.xlsx`
    link.click()
    setTimeout(() => URL.revokeObjectURL(link.href), KEPT)
    say('已导出，请妥善保管')
  } catch (failure) {
    say(inWords(failure))
  }
}
