/// <reference lib="webworker" />
// Keeps the shell and the files of this version, so that the app opens offline. Answers of the API are never kept.
export {}
/** Written in front of this script by the server. */
declare const FILES: string[]

const SHELL = '/m/'
const KEPT_BY = 'qungong-cadre-'
declare const self: ServiceWorkerGlobalScope
const worker = self
const version = KEPT_BY + FILES.join().split('').reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) | 0, 7).toString(16)

worker.addEventListener('install', (event) => {
  event.waitUntil(caches.open(version).then((cache) => cache.addAll([...FILES, SHELL].map((address) => new Request(address, { cache: 'no-cache' })))))
})

worker.addEventListener('activate', (event) => {
  const old = caches.keys().then((names) => Promise.all(names.filter((name) => name.startsWith(KEPT_BY) && name !== version).map((name) => caches.delete(name))))
  event.waitUntil(old.then(() => worker.clients.claim()))
})

worker.addEventListener('message', (event) => {
  if (event.data === 'use') void worker.skipWaiting()
})

worker.addEventListener('fetch', (event) => {
  const { pathname, origin } = new URL(event.request.url)
  if (event.request.method !== 'GET' || origin !== location.origin) return
  const isShell = event.request.mode === 'navigate' && pathname === SHELL
  if (!isShell && !FILES.includes(pathname)) return
  event.respondWith(caches.open(version).then((cache) => cache.match(isShell ? SHELL : pathname)).then((kept) => kept ?? fetch(event.request)))
})
