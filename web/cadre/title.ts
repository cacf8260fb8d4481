import { ref } from 'vue'
import { router } from './router.ts'

/** What the bar at the top says, where a page knows better than its route. */
export const title = ref('')
router.beforeEach(() => {
  title.value = ''
})
