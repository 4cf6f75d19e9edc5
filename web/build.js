// Builds the widget: web/widget → web/dist/widget.js, one file that runs by itself.
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))

/** True when it was built; false where Vite is not installed and an earlier build has to do; throws where there is none either. */
export async function build() {
  let vite
  try {
    vite = await import('vite')
  } catch (error) {
    if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error
    if (existsSync(join(here, 'dist/widget.js'))) return false
    throw new Error('web/dist/widget.js is missing and Vite, which builds it, is not installed: run npm ci without --omit=dev')
  }
  await vite.build({
    configFile: false,
    root: here,
    logLevel: 'warn',
    publicDir: false,
    build: {
      target: 'es2022',
      outDir: 'dist',
      emptyOutDir: true,
      minify: true,
      modulePreload: false,
      lib: { entry: join(here, 'widget/main.ts'), formats: ['iife'], name: 'deskbell', fileName: () => 'widget.js' },
    },
  })
  return true
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) await build()
