// Asking the staff's API.
import createClient from 'openapi-fetch'
import { patient, sayPost } from '@shared/api/client.ts'
import type { paths } from '@shared/api/staff'

export const api = createClient<paths>({ baseUrl: '/api/v1', fetch: patient })
/** From now on each request says in which post the page acts. */
export const actsIn = (post: () => number | null) => api.use(sayPost(post, '/sessions/me'))
