// Asking the staff's API.
import createClient from 'openapi-fetch'
import { patient } from '@shared/api/client.ts'
import type { paths } from '@shared/api/staff'

export const api = createClient<paths>({ baseUrl: '/api/v1', fetch: patient })
