// Asking the phones' API: typed by its OpenAPI document, with a time limit, refusals as words for people.
import createClient, { type Middleware } from 'openapi-fetch'
import { ACTING_POST } from './acting_post.ts'
import type { paths } from './phones'
import { NoAnswer, Refused, problemOf } from './problems.ts'

/** Milliseconds. 400 KB take 64 seconds at 50 kbit/s. */
const LONGEST_WAIT = { read: 30_000, write: 120_000 } as const

/** As `fetch`, and gives up after a while. */
export async function patient(request: Request): Promise<Response> {
  const patience = new AbortController()
  const wait = request.method === 'GET' ? LONGEST_WAIT.read : LONGEST_WAIT.write
  const timer = setTimeout(() => patience.abort(), wait)
  try {
    return await fetch(request, { signal: patience.signal, credentials: 'same-origin' })
  } catch {
    throw new NoAnswer()
  } finally {
    clearTimeout(timer)
  }
}

export const api = createClient<paths>({ baseUrl: '/m/v1', fetch: patient })

/** Says it with every request, except with the one that asks which post it is by now. */
export const sayPost = (post: () => number | null, whoAmI: string): Middleware => ({
  onRequest({ request, schemaPath }) {
    const id = post()
    if (id !== null && schemaPath !== whoAmI) request.headers.set(ACTING_POST, String(id))
  },
})

/** The body of a good answer; throws Refused with the server's problem otherwise. */
export async function answered<T>(call: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  const { data, error, response } = await call
  if (response.ok) return data as T
  throw new Refused(problemOf(error, response), retryAfter(response))
}

function retryAfter(response: Response): number | null {
  const seconds = Number(response.headers.get('Retry-After'))
  return Number.isFinite(seconds) && seconds > 0 ? seconds : null
}
