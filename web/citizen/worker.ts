/// <reference lib="webworker" />
// Lets the citizens' pages open without a network, once they were opened with one.
import { cacheOf, isKept, keepFiles, kept, pathOf } from '@shared/worker/files.ts'

export {}
declare const self: ServiceWorkerGlobalScope

const CACHE = cacheOf('citizen')
/** The HTML of posters that were scanned: it outlives a build. */
const PAGES = 'posters'
/** Milliseconds. A network that is slower than this is treated like none, where there is a kept page. */
const PATIENCE = 4_000

keepFiles(CACHE)

self.addEventListener('fetch', (event) => {
  const path = pathOf(event.request)
  if (path === null) return
  if (isKept(path)) event.respondWith(kept(CACHE, path))
  else if (event.request.mode === 'navigate' && /^\/[qt](\/[0-9A-Z-]*)?$/.test(path)) event.respondWith(page(event, path))
})

/** The newest page, or the kept one where the network is away or slow. All progress pages are one. */
async function page(event: FetchEvent, path: string): Promise<Response> {
  const name = path.startsWith('/t') ? '/t' : path
  const pages = await caches.open(PAGES)
  const known = await pages.match(name)
  const fetched = fetch(event.request).then(async (response) => {
    if (response.ok && !response.redirected) await pages.put(name, response.clone())
    return response
  })
  if (!known) return fetched
  event.waitUntil(fetched.catch(() => undefined))
  const late = new Promise<Response>((done) => setTimeout(() => done(known), PATIENCE))
  return Promise.race([fetched.catch(() => known), late])
}
