// How a plugin has the program end, where the program lets it.
import { Token } from '../server/api.ts'

/** 'stop': as at SIGTERM. 'restart': the same, and then it starts again with what the config file says by then. */
export type Ending = 'stop' | 'restart'
export const ENDING = new Token<(how: Ending) => void>('the end of the program')
