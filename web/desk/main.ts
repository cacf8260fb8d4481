import { createApp } from 'vue'
import { VueQueryPlugin } from '@tanstack/vue-query'
import { apply, preferences } from '@shared/look/preferences.ts'
import '@shared/look/tokens.css'
import '@shared/look/pages.css'
import '@shared/look/staff.css'
import './desk.css'
import App from './App.vue'
import { sendWhatIsHeld } from './acting.ts'
import { listenToKeys } from './keys.ts'
import { router } from './router.ts'
import { begin, queries } from './session.ts'

apply(preferences())
createApp(App).use(VueQueryPlugin, { queryClient: queries }).use(router).mount('#app')
listenToKeys()
addEventListener('pagehide', sendWhatIsHeld)
void begin()
