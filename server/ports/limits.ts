// How much of anything one may take: what holds where the config says nothing. Sizes are bytes, spans of time
// milliseconds, rates per second. 0 = none allowed, Infinity = no limit.
import type { Limits } from '../../schemas/limits.ts'

export type { Limits, Rate } from '../../schemas/limits.ts'

const KiB = 1024
const MiB = 1024 * KiB
const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** What holds where the config says nothing; the same numbers stand in schemas/config.json, and a test compares them. */
export const defaultLimits: Limits = {
  stanza: { c2s: 256 * KiB, s2s: 512 * KiB, preAuth: 10_000, preAuthElements: 64 },
  xml: { depth: 64, elements: 2000, attributes: 64, namespaces: 32, attributeBytes: 8 * KiB },
  readRate: {
    c2s: { rate: 16 * KiB, burst: 256 * KiB },
    visitor: { rate: 4 * KiB, burst: 64 * KiB },
    s2s: { rate: 100 * KiB, burst: MiB },
    component: { rate: Infinity, burst: Infinity }, // back-pressure only
  },
  connections: { perAddress: 100, unauthenticatedPerAddress: 10, newPerAddress: { rate: 10, burst: 30 }, unauthenticated: 5000 },
  deadlines: { handshake: 10 * SECOND, auth: 30 * SECOND, idle: 60 * SECOND, pong: 60 * SECOND },
  authFailures: {
    perStream: 5,
    window: 5 * MINUTE, tarpit: 10, tarpitDelay: 10 * SECOND, ban: 20, banTime: HOUR,
    adminPerUser: 10, adminPerAddress: 40, adminWindow: 15 * MINUTE,
  },
  resources: { perAccount: 10, hibernated: 10 },
  presence: { rate: 1, burst: 5 },
  streamManagement: { stanzas: 1000, bytes: 4 * MiB, resume: 600 * SECOND, ack: 60 * SECOND, keepH: HOUR },
  writeBuffer: { bytes: 4 * MiB, stall: 30 * SECOND },
  account: { offline: 1000, roster: 2000, pendingSubscriptions: 100, registrations: 10 },
  muc: { users: 200, roomsPerUser: 100, history: 20, occupantRate: Infinity, roomRate: 10 },
  mam: { page: 100, inFlight: 4, keep: 365 * DAY },
  pubsub: { items: 256, nodes: 100, itemBytes: 64 * KiB, subscriptions: 1000 },
  upload: { visitor: 10 * MiB, agent: 50 * MiB, visitorDay: 100 * MiB, agentDay: 1024 * MiB, life: 30 * DAY },
  http: {
    headers: 16 * KiB, json: 64 * KiB, url: 8 * KiB,
    headersTimeout: 10 * SECOND, requestTimeout: 30 * SECOND, keepAlive: 5 * SECOND,
  },
  events: { perToken: 10, buffer: 256 * KiB, beat: 15 * SECOND },
  websocket: { frame: 512 * KiB, fragments: 8, ping: 30 * SECOND },
  bosh: { wait: 60 * SECOND, inactivity: 60 * SECOND, polling: 5 * SECOND, hold: 1 },
  visitor: { messages: { rate: 1, burst: 10 }, text: 4000, name: 80, variables: 20, variable: 256, chatsPerHour: 10, chatsPerDomain: 300, open: 1 },
  mail: { perRecipient: 5, perAddress: 20, autoReplies: 1 },
  s2s: { dials: 100, queue: 256 * KiB, timeout: 60 * SECOND, connect: 10 * SECOND },
}
