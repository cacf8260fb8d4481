// The address holds the whole state: which list, with which filters, which case, and what is being done with it.
import { createRouter, createWebHashHistory } from 'vue-router'
import DeskPage from './pages/DeskPage.vue'

export const router = createRouter({
  history: createWebHashHistory('/desk/'),
  routes: [
    { path: '/', component: DeskPage },
    { path: '/:view([a-z_]+)/:number(new|[0-9-]+)?/:act([a-z_]+)?', component: DeskPage },
    { path: '/:rest(.*)*', redirect: '/' },
  ],
})
