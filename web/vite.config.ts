// Builds the widget: web/widget → web/dist/widget.js, one classic script that needs nothing else.
import { fileURLToPath } from 'node:url'
import type { Plugin, UserConfig } from 'vite'

/** Spaces that a style sheet does not need; the minifier leaves texts as they are. */
const tight: Plugin = {
  name: 'tight',
  transform: (code, id) => id.endsWith('/style.ts') ? code.replace(/`[^`]*`/g, css => css.replace(/\s+/g, ' ').replace(/ ?([{};,>]) ?/g, '$1').replace(/: /g, ':').replaceAll(';}', '}')) : undefined,
}

const config: UserConfig = {
  root: fileURLToPath(new URL('.', import.meta.url)),
  publicDir: false,
  plugins: [tight],
  build: {
    target: 'es2022',
    outDir: 'dist',
    emptyOutDir: true,
    lib: { entry: 'widget/main.ts', formats: ['iife'], name: 'deskbell', fileName: () => 'widget.js' },
  },
}
export default config // the one default export: Vite asks for it
