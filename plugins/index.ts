// The plugins of a host, in the order in which they are installed: within a stage that is the order in which they run.
import { mam } from './mam.ts'
import { ping } from './ping.ts'

export const plugins = [
  ping,
  mam,
] as const
