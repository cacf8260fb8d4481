// The present moment for what shows remaining time; moves every half minute and when the page is looked at again.
import { ref } from 'vue'

const EVERY = 30_000
export const now = ref(new Date())
const move = () => {
  if (document.visibilityState === 'visible') now.value = new Date()
}
setInterval(move, EVERY)
document.addEventListener('visibilitychange', move)
