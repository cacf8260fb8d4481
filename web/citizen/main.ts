import { createApp } from 'vue'
import { apply, preferences } from '@shared/look/preferences.ts'
import '@shared/look/tokens.css'
import '@shared/look/pages.css'
import App from './App.vue'
import { sender } from './session.ts'

apply(preferences())
createApp(App).mount('#app')
sender.start()

// With it the page opens without a network, once it was opened with one. Browsers allow it over https only.
if ('serviceWorker' in navigator) addEventListener('load', () => void navigator.serviceWorker.register('/q/worker.js', { scope: '/' }).catch(() => undefined))
