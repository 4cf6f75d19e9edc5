#!/usr/bin/env node
// Runs after `npm ci` (npm's `prepare`): links the command and builds the widget. Never fails an install: what it cannot
// do it says in one line.
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, lstatSync, mkdirSync, readdirSync, statSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')

linkCommand()
for (const part of ['.', 'widget', 'console']) build(part)

// npm makes no link for the package it installs in, and npx then copies it to a cache of its own.
function linkCommand() {
  const folder = join(root, 'node_modules/.bin')
  const link = join(folder, 'deskbell')
  try {
    chmodSync(join(root, 'bin/deskbell.js'), 0o755)
    mkdirSync(folder, { recursive: true })
    if (!lstatSync(link, { throwIfNoEntry: false })) symlinkSync('../../bin/deskbell.js', link)
  } catch (error) {
    console.error(`deskbell: no link node_modules/.bin/deskbell (${error.message}): run bin/deskbell.js instead`)
  }
}

function build(part) {
  const source = join(root, 'web', part)
  const vite = join(root, 'node_modules/vite/bin/vite.js')
  const config = ['vite.config.ts', 'vite.config.js', 'vite.config.mjs'].map(name => join(source, name)).find(existsSync)
  if (!config || fresh(source)) return
  if (!existsSync(vite)) {
    console.error('deskbell: the web parts are not built, for Vite is not here: run npm ci without --omit=dev, or copy web/dist from a machine that has it')
    return
  }
  const { status, stderr, error } = spawnSync(process.execPath, [vite, 'build', '--config', config, '--logLevel', 'warn', source], { cwd: source, encoding: 'utf8' })
  if (status !== 0) console.error(`deskbell: ${source} was not built: ${error?.message ?? lastLine(stderr)}: run npm run prepare again`)
}

// npx prepares the package again; what is built already and newer than its sources is left as it is.
function fresh(source) {
  const built = newest(join(root, 'web/dist'))
  return built > 0 && newest(source) <= built
}

function newest(folder) {
  if (!existsSync(folder)) return 0
  return readdirSync(folder, { withFileTypes: true })
    .filter(entry => entry.name !== 'dist' && entry.name !== 'node_modules')
    .map(entry => join(folder, entry.name))
    .reduce((latest, path) => Math.max(latest, statSync(path).isDirectory() ? newest(path) : statSync(path).mtimeMs), 0)
}

function lastLine(text) {
  return (text ?? '').trim().split('\n').pop() || 'vite failed'
}
