// How this person wants to see the pages: kept on this phone only.
export type Theme = 'system' | 'light' | 'dark'

export interface Preferences {
  theme: Theme
  elder: boolean
  /** 0 is the size of the mode; each step is larger. */
  size: 0 | 1 | 2
}

const KEY = 'qungong.look'
const PLAIN: Preferences = { theme: 'system', elder: false, size: 0 }

export function preferences(): Preferences {
  try {
    return { ...PLAIN, ...(JSON.parse(localStorage.getItem(KEY) ?? '{}') as Partial<Preferences>) }
  } catch {
    return PLAIN
  }
}

export function prefer(changed: Partial<Preferences>): Preferences {
  const all = { ...preferences(), ...changed }
  try {
    localStorage.setItem(KEY, JSON.stringify(all))
  } catch {
    // A full or forbidden storage: it holds for this page.
  }
  apply(all)
  return all
}

export function apply(wanted: Preferences): void {
  const root = document.documentElement
  if (wanted.theme === 'system') delete root.dataset['theme']
  else root.dataset['theme'] = wanted.theme
  root.toggleAttribute('data-elder', wanted.elder)
  if (wanted.size) root.dataset['size'] = String(wanted.size)
  else delete root.dataset['size']
}
