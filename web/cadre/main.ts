import { createApp } from 'vue'
import { VueQueryPlugin } from '@tanstack/vue-query'
import { apply, preferences } from '@shared/look/preferences.ts'
import '@shared/look/tokens.css'
import '@shared/look/pages.css'
import '@shared/look/staff.css'
import './cadre.css'
import App from './App.vue'
import { installWorker } from './updates.ts'
import { router } from './router.ts'
import { dropOldReceipts, queries, sender } from './session.ts'

apply(preferences())
createApp(App).use(VueQueryPlugin, { queryClient: queries }).use(router).mount('#app')
sender.start()
void dropOldReceipts()
installWorker()
