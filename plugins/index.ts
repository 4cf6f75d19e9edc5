// The plugins of a host, in the order in which they are installed: within a stage that is the order in which they run.
import { ping } from './ping.ts'

export const plugins = [
  ping,
] as const
