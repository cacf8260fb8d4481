import { computed, type Ref } from 'vue'
import { useQuery } from '@tanstack/vue-query'
import { api } from './client.ts'
import { POLL } from '@shared/api/live.ts'
import { isLive } from './live.ts'
import { ask, post } from './session.ts'

const SELDOM = 60_000

export function useCase(number: Ref<string>) {
  return useQuery({
    queryKey: computed(() => ['case', number.value, post.value?.id]),
    queryFn: () => ask(api.GET('/cases/{ref}', { params: { path: { ref: number.value } } })),
    enabled: computed(() => Boolean(number.value)),
    refetchInterval: () => (isLive.value ? SELDOM : POLL),
  })
}
