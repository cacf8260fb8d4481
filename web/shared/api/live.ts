// One stream of changes while a page is open. Where it does not get through, the lists ask every 15 seconds.
import { ref } from 'vue'

const AGAIN = 30_000
export const POLL = 15_000

/** `heard` gets the number of each changed case; `reload` is called where too much changed to say. */
export function changesOf(address: string, heard: (number: string | undefined) => void, reload: () => void) {
  const isLive = ref(false)
  let stream: EventSource | null = null
  let timer: ReturnType<typeof setTimeout> | undefined

  function listen(): void {
    stop()
    if (typeof EventSource === 'undefined') return
    stream = new EventSource(address)
    stream.onopen = () => (isLive.value = true)
    stream.onmessage = (event: MessageEvent<string>) => heard((JSON.parse(event.data) as { ref?: string }).ref)
    stream.addEventListener('reload', reload)
    stream.onerror = () => {
      isLive.value = false
      if (stream?.readyState !== EventSource.CLOSED) return
      clearTimeout(timer)
      timer = setTimeout(listen, AGAIN)
    }
  }

  function stop(): void {
    clearTimeout(timer)
    stream?.close()
    stream = null
    isLive.value = false
  }

  /** For `refetchInterval`. */
  const polling = () => (isLive.value ? false : POLL)
  return { isLive, listen, stop, polling }
}
