// The plugins of a host, in the order in which they are installed: within a stage that is the order in which they run.
import { avatars } from './avatars.ts'
import { blocking } from './blocking.ts'
import { bookmarks } from './bookmarks.ts'
import { carbons } from './carbons.ts'
import { csi } from './csi.ts'
import { disco } from './disco.ts'
import { mam } from './mam.ts'
import { offline } from './offline.ts'
import { pep } from './pep.ts'
import { ping } from './ping.ts'
import { privateStorage } from './private.ts'
import { register } from './register.ts'
import { shield } from './shield.ts'
import { time } from './time.ts'
import { vcard } from './vcard.ts'
import { version } from './version.ts'

export const plugins = [disco, ping, version, time, blocking, shield, carbons, mam, offline, vcard, privateStorage, pep, bookmarks, avatars, csi, register] as const
