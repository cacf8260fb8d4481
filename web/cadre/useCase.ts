import { computed, type Ref } from 'vue'
import { useQuery } from '@tanstack/vue-query'
import { api } from '@shared/api/client.ts'
import { POLL } from '@shared/api/live.ts'
import { isLive } from './live.ts'
import { ask, owner } from './session.ts'

const SELDOM = 60_000

export function useCase(number: Ref<string>) {
  return useQuery({
    queryKey: computed(() => ['case', number.value, owner.value]),
    queryFn: () => ask(api.GET('/cadre/cases/{ref}', { params: { path: { ref: number.value } } })),
    refetchInterval: () => (isLive.value ? SELDOM : POLL),
  })
}
