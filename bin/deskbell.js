#!/usr/bin/env node
// The command `deskbell`: finds a Node that can run the house, then runs it. Plain JavaScript that any Node from 18 on reads.
import { spawn } from 'node:child_process'
import { accessSync, constants, existsSync, mkdirSync, readFileSync } from 'node:fs'
import module, { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

const NEEDED = [24, 15] // runs TypeScript natively and has node:sqlite
const args = process.argv.slice(2)

if (fits()) {
  keepCompiled()
  dieWithParent()
  endWithNpm()
  quietExperiments()
  const { main } = await import('../app/main.ts')
  process.exit(await main(args)) // all is closed by now; an alarm that still waits must not hold the program
} else {
  const node = bundledNode()
  if (node) {
    runWith(node)
  } else {
    console.error(`deskbell needs Node ${NEEDED.join('.')} or newer, this is ${process.version}: install it, or run \`npm ci\` in the folder of deskbell, which brings one for Linux`)
    process.exitCode = 1
  }
}

function fits() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  return major > NEEDED[0] || (major === NEEDED[0] && minor >= NEEDED[1])
}

// Stripped and compiled code is kept from one start to the next: half the time, and a third of the memory, for nobody has to
// load the stripper. Named in the environment, for threads have the variable and not the call. In a folder of our own: what
// lies in a temporary one may be another user's.
function keepCompiled() {
  if (process.env.NODE_COMPILE_CACHE === undefined) {
    const folder = fileURLToPath(new URL('../node_modules/.cache/deskbell', import.meta.url))
    try {
      mkdirSync(folder, { recursive: true })
      accessSync(folder, constants.W_OK)
      process.env.NODE_COMPILE_CACHE = folder
    } catch {
      return // installed by another user: docs/operate.md tells how to give it a folder
    }
  }
  module.enableCompileCache(process.env.NODE_COMPILE_CACHE)
}

// The Node that came with the install, an optional dependency for Linux on x64 and arm64.
function bundledNode() {
  const require = createRequire(import.meta.url)
  try {
    const node = require.resolve(`node-${process.platform}-${process.arch}/bin/node`)
    return existsSync(node) ? node : undefined
  } catch {
    return undefined
  }
}

function runWith(node) {
  // The channel between the two tells the child when this process is gone, however it went.
  const child = spawn(node, [process.argv[1], ...args], {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, DESKBELL_PARENT: String(process.pid) },
  })
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR2']) process.on(signal, () => child.kill(signal))
  child.on('error', error => {
    console.error(`deskbell: ${node} does not run: ${error.message}: install Node ${NEEDED.join('.')} or newer`)
    process.exitCode = 1
  })
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? (signal === 'SIGKILL' ? 137 : 1)
  })
}

function dieWithParent() {
  if (!process.channel || process.env.DESKBELL_PARENT !== String(process.ppid)) return
  process.channel.unref()
  process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'))
}

// npm puts a shell between itself and us and passes no signal on: whoever stops `npx deskbell start` or `npm start` would leave
// a server behind that holds the store and the ports. Without npm, or without /proc, there is nothing to watch.
function endWithNpm() {
  const shell = process.ppid
  const npm = parentOf(shell)
  if (npm === undefined || !/^npm (exec deskbell|start)\b/.test(read(`/proc/${npm}/cmdline`) ?? '')) return
  const watch = setInterval(() => {
    if (process.ppid === shell && parentOf(shell) === npm) return
    clearInterval(watch)
    process.kill(process.pid, 'SIGTERM')
  }, 250)
  watch.unref()
}

function parentOf(pid) {
  return /^PPid:\s+(\d+)$/m.exec(read(`/proc/${pid}/status`) ?? '')?.[1]
}

function read(file) {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}

// node:sqlite still calls itself an experiment; we pinned the Node it is part of.
function quietExperiments() {
  const emit = process.emitWarning
  process.emitWarning = (warning, ...rest) => {
    const type = typeof rest[0] === 'object' ? rest[0]?.type : rest[0]
    if (type !== 'ExperimentalWarning') emit.call(process, warning, ...rest)
  }
}
