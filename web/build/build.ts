// Builds one face after the other, and a brotli and a gzip copy of each file beside it.
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'
import { build } from 'vite'

const COMPRESSED = /\.(js|css|svg|json|webmanifest)$/

for (const face of process.argv.slice(2)) {
  process.env['FACE'] = face
  const { default: config } = await import(`../vite.config.ts?${face}`)
  await build({ ...config, configFile: false, logLevel: 'warn' })
  compress(new URL(`../../app/http/built/${face}/`, import.meta.url))
}

function compress(folder: URL): void {
  for (const name of readdirSync(folder)) {
    const file = new URL(name, folder)
    if (statSync(file).isDirectory()) compress(new URL(`${name}/`, folder))
    else if (COMPRESSED.test(name)) {
      const content = readFileSync(file)
      writeFileSync(new URL(`${name}.gz`, folder), gzipSync(content, { level: 9 }))
      const most = { params: { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY } }
      writeFileSync(new URL(`${name}.br`, folder), brotliCompressSync(content, most))
    }
  }
}
