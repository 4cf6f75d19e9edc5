// Builds the widget: web/widget → web/dist/widget.js, one classic script that needs nothing else.
import { fileURLToPath } from 'node:url'
import type { UserConfig } from 'vite'

const config: UserConfig = {
  root: fileURLToPath(new URL('.', import.meta.url)),
  publicDir: false,
  build: {
    target: 'es2022',
    outDir: 'dist',
    emptyOutDir: true,
    lib: { entry: 'widget/main.ts', formats: ['iife'], name: 'deskbell', fileName: () => 'widget.js' },
  },
}
export default config // the one default export: Vite asks for it
