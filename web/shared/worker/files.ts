/// <reference lib="webworker" />
// What the service workers of all faces do alike: keep the files of one build on the phone. Answers of the API are never kept.
export {}
declare const self: ServiceWorkerGlobalScope
/** Addresses of all files of the build. The server writes them in front of the worker, so each build is another worker. */
declare const FILES: string[]

/** The cache of this build: the face's name and a digest of its files' names. */
export function cacheOf(face: string): string {
  return `${face}-${FILES.join().split('').reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) >>> 0, 7).toString(16)}`
}

/** Keeps the files and `shells`, the pages' HTML. An older worker goes on until its pages are closed. */
export function keepFiles(cache: string, shells: string[] = []): void {
  const wanted = [...FILES, ...shells].map((address) => new Request(address, { cache: 'no-cache' }))
  self.addEventListener('install', (event) => event.waitUntil(caches.open(cache).then((kept) => kept.addAll(wanted))))
  self.addEventListener('activate', (event) => {
    const face = cache.slice(0, cache.lastIndexOf('-') + 1)
    const others = caches.keys().then((names) => names.filter((name) => name.startsWith(face) && name !== cache))
    const dropped = others.then((names) => Promise.all(names.map((name) => caches.delete(name))))
    event.waitUntil(dropped.then(() => self.clients.claim()))
  })
}

export function isKept(pathname: string): boolean {
  return FILES.includes(pathname)
}

/** A kept file, else from the network. */
export async function kept(cache: string, request: Request | string): Promise<Response> {
  return (await (await caches.open(cache)).match(request)) ?? fetch(request)
}

/** The path of a request that a worker may answer; null for another site's, and for all but GET. */
export function pathOf(request: Request): string | null {
  const { pathname, origin } = new URL(request.url)
  return request.method === 'GET' && origin === self.location.origin ? pathname : null
}
