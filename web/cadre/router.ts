import { createRouter, createWebHashHistory } from 'vue-router'
import HomePage from './pages/HomePage.vue'

export const router = createRouter({
  history: createWebHashHistory('/m/'),
  routes: [
    { path: '/', component: HomePage, meta: { tab: 'home' } },
    { path: '/county', component: () => import('./pages/CountyPage.vue'), meta: { tab: 'county' } },
    { path: '/search', component: () => import('./pages/SearchPage.vue'), meta: { title: '查找' } },
    { path: '/register', component: () => import('./pages/RegisterPage.vue'), meta: { title: '代群众登记' } },
    { path: '/sent/:id', component: () => import('./pages/SentPage.vue'), meta: { title: '登记结果' }, props: true },
    { path: '/case/:number', component: () => import('./pages/CasePage.vue'), meta: { title: '事件' }, props: true },
    { path: '/case/:number/:action', component: () => import('./pages/ActPage.vue'), meta: { title: '办理' }, props: true },
    { path: '/card/:id', component: () => import('./pages/CardPage.vue'), meta: { title: '红黄牌' }, props: true },
    { path: '/waiting', component: () => import('./pages/WaitingPage.vue'), meta: { title: '未发送' } },
    { path: '/me', component: () => import('./pages/SettingsPage.vue'), meta: { tab: 'me' } },
    { path: '/:rest(.*)*', redirect: '/' },
  ],
  scrollBehavior: (_to, _from, saved) => saved ?? { top: 0 },
})
