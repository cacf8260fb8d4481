/// <reference lib="webworker" />
// Lets the app open offline: it keeps the shell and the files of its build.
import { cacheOf, isKept, keepFiles, kept, pathOf } from '@shared/worker/files.ts'

export {}
declare const self: ServiceWorkerGlobalScope

const SHELL = '/m/'
const CACHE = cacheOf('qungong-cadre')

keepFiles(CACHE, [SHELL])

self.addEventListener('message', (event) => {
  if (event.data === 'use') void self.skipWaiting()
})

self.addEventListener('fetch', (event) => {
  const path = pathOf(event.request)
  if (path === null) return
  if (isKept(path)) event.respondWith(kept(CACHE, path))
  else if (event.request.mode === 'navigate' && path === SHELL) event.respondWith(kept(CACHE, SHELL))
})
