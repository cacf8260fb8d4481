// All units of the county, asked for once: found while typing, by letters of the name or first letters of its reading.
import { useQuery } from '@tanstack/vue-query'
import type { components } from '@shared/api/staff'
import { api } from './client.ts'
import { ask } from './session.ts'

export interface Unit extends Named {
  /** First letters of the reading: 县水务局 xswj. */
  initials: string
}

type Named = components['schemas']['UnitItem']
const PAGE = 200

async function all(): Promise<Unit[]> {
  const units: Named[] = []
  let after: string | null = null
  do {
    const page: components['schemas']['Units'] = await ask(api.GET('/units', { params: { query: { size: PAGE, ...(after && { after }) } } }))
    units.push(...page.items)
    after = page.next
  } while (after)
  // Larger than the desk itself, and wanted only here.
  const { pinyin } = await import('pinyin-pro')
  const initialsOf = (name: string) => pinyin(name, { pattern: 'first', toneType: 'none', type: 'array' }).join('').toLowerCase()
  return units.map((unit) => ({ ...unit, initials: initialsOf(unit.name) }))
}

export const useUnits = () => useQuery({ queryKey: ['units'], queryFn: all, staleTime: 10 * 60_000 })

/** Villages come last: work is given to townships and departments. */
const RANK: Partial<Record<Unit['kind'], number>> = { village: 1 }

export function found(units: readonly Unit[], typed: string, most = 8): Unit[] {
  const words = typed.trim().toLowerCase()
  if (!words) return []
  const rank = (unit: Unit): number | null => {
    const names = [unit.name, unit.short_name ?? '']
    if (names.some((name) => name.startsWith(words))) return 0
    if (unit.initials.startsWith(words)) return 1
    if (names.some((name) => name.includes(words))) return 2
    return unit.initials.includes(words) ? 3 : null
  }
  return units
    .map((unit) => ({ unit, rank: rank(unit) }))
    .filter((one): one is { unit: Unit; rank: number } => one.rank !== null)
    .sort((one, other) => (RANK[one.unit.kind] ?? 0) - (RANK[other.unit.kind] ?? 0) || one.rank - other.rank || one.unit.name.length - other.unit.name.length)
    .slice(0, most)
    .map((one) => one.unit)
}
