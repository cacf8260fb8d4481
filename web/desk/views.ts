// Views of the list: the work of this post and, for posts with the county's view, lists of the county.
import { computed } from 'vue'
import { useQuery } from '@tanstack/vue-query'
import type { operations } from '@shared/api/staff'
import { viewsOf, type View } from '@shared/words/cases.ts'
import { api } from './client.ts'
import { polling } from './live.ts'
import { ask, post, seesCounty } from './session.ts'

export type Asked = NonNullable<operations['list_cases']['parameters']['query']>

export interface DeskView {
  name: string
  label: string
  /** First letters of the label's readings. */
  initials: string
  /** Pressed after g. */
  key: string
  asked: Asked
  empty: string
  /** Beside the name; 99+ where there are more. */
  count?: string
}

const INITIALS: Record<View, { initials: string; key: string }> = {
  to_judge: { initials: 'dyp', key: 'j' }, to_sign: { initials: 'dqs', key: 's' }, handling: { initials: 'blz', key: 'h' }, assisting: { initials: 'wxb', key: 'x' },
  to_decide: { initials: 'dsp', key: 'p' }, to_reply: { initials: 'dhfdb', key: 'r' }, registered: { initials: 'wdjd', key: 'm' }, finished: { initials: 'ybj', key: 'f' },
}
const COUNTY: DeskView[] = [
  { name: 'overdue', label: '已超期', initials: 'ycq', key: 'o', asked: { scope: 'county', view: 'open', due: 'overdue' }, empty: '全县没有超期的事。' },
  { name: 'soon', label: '即将到期', initials: 'jjdq', key: 'd', asked: { scope: 'county', view: 'open', due: 'soon' }, empty: '全县没有即将到期的事。' },
  { name: 'supervised', label: '督办中', initials: 'dbz', key: 'u', asked: { scope: 'county', view: 'open', supervised: true }, empty: '没有正在督办的事。' },
  { name: 'listed', label: '挂牌督办', initials: 'gpdb', key: 'l', asked: { scope: 'county', view: 'open', listed: true }, empty: '没有挂牌督办的事。' },
  { name: 'urgent', label: '紧急', initials: 'jj', key: 'e', asked: { scope: 'county', view: 'open', urgent: true }, empty: '没有紧急的事。' },
  { name: 'open', label: '全部未办结', initials: 'qbwbj', key: 'a', asked: { scope: 'county', view: 'open' }, empty: '全县没有未办结的事。' },
  { name: 'done', label: '全部已办结', initials: 'qbybj', key: 'z', asked: { scope: 'county', view: 'finished' }, empty: '全县还没有办结的事。' },
]

/** The command center judges what is to be dispatched. */
const labelOf = (view: View, label: string) => (view === 'to_judge' && post.value?.role === 'dispatcher' ? { label: '待交办', initials: 'djb' } : { label, initials: INITIALS[view].initials })

export function useViews() {
  const { data } = useQuery({
    queryKey: computed(() => ['counts', post.value?.id]), queryFn: () => ask(api.GET('/counts')), refetchInterval: polling, enabled: computed(() => post.value !== null),
  })
  const counts = computed(() => Object.fromEntries((data.value?.views ?? []).map((one) => [one.view, one.count])) as Partial<Record<View, number>>)
  const mine = computed<DeskView[]>(() => viewsOf(post.value?.role ?? '', counts.value).map((one) => {
    const count = data.value?.views.find((each) => each.view === one.view)
    return {
      name: one.view, key: INITIALS[one.view].key, ...labelOf(one.view, one.label), asked: { view: one.view }, empty: one.empty,
      ...(count && one.view !== 'finished' && one.view !== 'registered' && { count: count.more ? `${count.count}+` : String(count.count) }),
    }
  }))
  const county = computed(() => (seesCounty.value ? COUNTY : []))
  const all = computed(() => [...mine.value, ...county.value])
  return { mine, county, all }
}
