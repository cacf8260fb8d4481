import { createApp } from 'vue'
import { apply, preferences } from '@shared/look/preferences.ts'
import '@shared/look/tokens.css'
import './citizen.css'
import App from './App.vue'
import { sender } from './session.ts'

apply(preferences())
createApp(App).mount('#app')
sender.start()
