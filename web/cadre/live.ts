// What changed at the server: the lists, the counts and the open case ask anew.
import { changesOf } from '@shared/api/live.ts'
import { queries } from './session.ts'

export const { isLive, listen, stop, polling } = changesOf('/m/v1/cadre/live', changed, () => void queries.invalidateQueries())

export function changed(number: string | undefined): void {
  for (const key of [['list'], ['counts'], ['areas'], ['me'], ...(number ? [['case', number]] : [])]) void queries.invalidateQueries({ queryKey: key })
}
