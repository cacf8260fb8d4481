/// <reference lib="webworker" />
// Keeps the citizens' pages on the phone, so that they open without a network. Keeps no answer of the API.
export {}
declare const self: ServiceWorkerGlobalScope

const CACHE = 'citizen'
const ASSETS = '/assets/citizen/'
const MANIFEST = `${ASSETS}manifest.json`
/** Milliseconds. A network that is slower than this is treated like none, where there is a kept page. */
const PATIENCE = 4_000

interface Chunk {
  file: string
  css?: string[]
}

self.addEventListener('install', (event) => {
  event.waitUntil(refresh().then(() => self.skipWaiting()))
})

self.addEventListener('activate', (event) => {
  event.waitUntil(self.clients.claim())
})

self.addEventListener('fetch', (event) => {
  const { pathname, origin } = new URL(event.request.url)
  if (event.request.method !== 'GET' || origin !== self.location.origin) return
  if (pathname.startsWith(ASSETS) && pathname !== MANIFEST) event.respondWith(asset(event.request))
  else if (event.request.mode === 'navigate' && /^\/[qt](\/[0-9A-Z-]*)?$/.test(pathname)) event.respondWith(page(event, pathname))
})

async function asset(request: Request): Promise<Response> {
  const cache = await caches.open(CACHE)
  const kept = await cache.match(request)
  if (kept) return kept
  const fetched = await fetch(request)
  if (fetched.ok) await cache.put(request, fetched.clone())
  return fetched
}

/** The newest page, or the kept one where the network is away or slow. All progress pages are one. */
async function page(event: FetchEvent, pathname: string): Promise<Response> {
  const name = pathname.startsWith('/t') ? '/t' : pathname
  const cache = await caches.open(CACHE)
  const kept = await cache.match(name)
  const fetched = fetch(event.request).then(async (response) => {
    if (response.ok && !response.redirected) await cache.put(name, response.clone())
    return response
  })
  if (!kept) return fetched
  event.waitUntil(fetched.then(refresh).catch(() => undefined))
  const late = new Promise<Response>((done) => setTimeout(() => done(kept), PATIENCE))
  return Promise.race([fetched.catch(() => kept), late])
}

/** Fetches the files that are new, and removes those that no page asks for any more. */
async function refresh(): Promise<void> {
  const manifest = (await (await fetch(MANIFEST)).json()) as Record<string, Chunk>
  const wanted = new Set(Object.values(manifest).flatMap((chunk) => [chunk.file, ...(chunk.css ?? [])]).filter((name) => name !== 'worker.js').map((name) => ASSETS + name))
  const cache = await caches.open(CACHE)
  const kept = (await cache.keys()).map((request) => new URL(request.url).pathname)
  await cache.addAll([...wanted].filter((name) => !kept.includes(name)))
  // Both versions stay while an old page may be open: only what is neither is removed, at the next refresh but one.
  const stale = kept.filter((name) => name.startsWith(ASSETS) && !wanted.has(name))
  if (stale.length > wanted.size) await Promise.all(stale.map((name) => cache.delete(name)))
}
