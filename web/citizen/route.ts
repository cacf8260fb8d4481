// Where the person is: /q/{code} and /t/{ref} are the server's, what follows # is a page within.
import { computed, ref } from 'vue'
import type { components } from '@shared/api/phones'

export type Place = components['schemas']['PlaceOut']

const address = ref(location.pathname + location.hash)

function follow(): void {
  address.value = location.pathname + location.hash
  scrollTo(0, 0)
}

addEventListener('popstate', follow)
addEventListener('hashchange', follow)

export const route = computed(() => {
  const [path = '', hash = ''] = address.value.split('#')
  const tracked = path.match(/^\/t\/([^/]+)/)
  if (tracked?.[1]) return { page: 'progress', of: decodeURIComponent(tracked[1]) }
  const [page = '', of = ''] = hash.replace(/^\//, '').split('/')
  return { page: page || 'home', of: decodeURIComponent(of) }
})

export function go(to: string): void {
  history.pushState(null, '', to)
  follow()
}

export function replaceWith(to: string): void {
  history.replaceState(null, '', to)
  follow()
}

const LAST = 'qungong.place'

/** The poster's unit: written into the page by the server; elsewhere the one scanned last. */
export function place(): Place | null {
  const written = document.getElementById('app')?.dataset['place']
  try {
    if (written) {
      localStorage.setItem(LAST, written)
      return JSON.parse(written) as Place
    }
    return JSON.parse(localStorage.getItem(LAST) ?? 'null') as Place | null
  } catch {
    return written ? (JSON.parse(written) as Place) : null
  }
}

export function homeOf(at: Place | null): string {
  return at ? `/q/${at.code}` : '/t'
}
