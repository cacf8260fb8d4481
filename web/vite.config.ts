// One build per face: `FACE=citizen vite build`. Each face is downloaded alone, so nothing is shared between them.
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vite'

const face = process.env['FACE'] ?? 'citizen'
const at = (path: string) => fileURLToPath(new URL(path, import.meta.url))

export default defineConfig({
  root: at(`./${face}`),
  base: `/assets/${face}/`,
  resolve: { alias: { '@shared': at('./shared') } },
  plugins: [vue()],
  define: { __VUE_OPTIONS_API__: 'false', __VUE_PROD_DEVTOOLS__: 'false' },
  build: {
    outDir: at(`../app/http/built/${face}`),
    emptyOutDir: true,
    manifest: 'manifest.json',
    // Phones of the last eight years, WeChat's browser among them.
    target: ['es2018', 'chrome66', 'safari12'],
    cssTarget: ['chrome66', 'safari12'],
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rollupOptions: {
      input: [at(`./${face}/main.ts`), ...(existsSync(at(`./${face}/worker.ts`)) ? [at(`./${face}/worker.ts`)] : [])],
      // A service worker keeps its address; everything else is named by its content.
      output: { entryFileNames: (chunk) => (chunk.name === 'worker' ? 'worker.js' : 'assets/[name]-[hash].js') },
    },
  },
  test: { root: at('.'), include: ['**/*.test.ts'], environment: 'node' },
} as Parameters<typeof defineConfig>[0])
