// Registers the service worker, and says when a newer version of the app waits to be used.
import { ref } from 'vue'

export const newer = ref<ServiceWorker | null>(null)

export function installWorker(): void {
  const workers = (navigator as { serviceWorker?: ServiceWorkerContainer }).serviceWorker
  if (!workers) return
  void workers.register('/m/sw.js', { scope: '/m/' }).then((registration) => {
    const look = (worker: ServiceWorker | null) => {
      if (!worker) return
      const settle = () => {
        if (worker.state === 'installed' && workers.controller) newer.value = worker
      }
      settle()
      worker.addEventListener('statechange', settle)
    }
    look(registration.waiting)
    registration.addEventListener('updatefound', () => look(registration.installing))
  }).catch(() => undefined)
}

/** The drafts lie in the phone's storage, so the page may be loaded anew. */
export function useNewer(): void {
  navigator.serviceWorker.addEventListener('controllerchange', () => location.reload(), { once: true })
  newer.value?.postMessage('use')
}
