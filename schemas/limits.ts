// The shape of `limits` in the config, as the house reads it: sizes in bytes, spans of time in milliseconds, rates per
// second. 0 = none allowed, Infinity = no limit.

/** A token bucket: `rate` a second in the long run, `burst` at once. */
export interface Rate { readonly rate: number; readonly burst: number }

export interface Limits {
  /** The size of one stanza, in bytes; before authentication also the elements of one. */
  readonly stanza: { readonly c2s: number; readonly s2s: number; readonly preAuth: number; readonly preAuthElements: number }
  /** Inside one stanza: nesting, elements, and of each element its attributes, namespace declarations and bytes of one value. */
  readonly xml: {
    readonly depth: number
    readonly elements: number
    readonly attributes: number
    readonly namespaces: number
    readonly attributeBytes: number
  }
  /** Bytes a second read from one connection; above it, reading pauses. */
  readonly readRate: { readonly c2s: Rate; readonly visitor: Rate; readonly s2s: Rate; readonly component: Rate }
  /** Open at once from one address, of these not authenticated, new ones a second, and all that are not authenticated. */
  readonly connections: {
    readonly perAddress: number
    readonly unauthenticatedPerAddress: number
    readonly newPerAddress: Rate
    readonly unauthenticated: number
  }
  /** TLS handshake; from the first byte to the session; silence before a ping; the wait for its answer. */
  readonly deadlines: { readonly handshake: number; readonly auth: number; readonly idle: number; readonly pong: number }
  /** Failed logins on one stream; from one address within `window`: slowed by `tarpitDelay` after `tarpit`, refused for `banTime` after `ban`; the admin API's own. */
  readonly authFailures: {
    readonly perStream: number
    readonly window: number
    readonly tarpit: number
    readonly tarpitDelay: number
    readonly ban: number
    readonly banTime: number
    readonly adminPerUser: number
    readonly adminPerAddress: number
    readonly adminWindow: number
  }
  readonly resources: { readonly perAccount: number; readonly hibernated: number }
  /** Presence that one device has told to all who see it; of what comes faster, only the latest is told. */
  readonly presence: Rate
  /** XEP-0198: what waits unacknowledged; how long a stream can be resumed; the wait for an ack; how long `h` is remembered after that. */
  readonly streamManagement: {
    readonly stanzas: number
    readonly bytes: number
    readonly resume: number
    readonly ack: number
    readonly keepH: number
  }
  /** Bytes that wait for one socket, and how long it may not take any of them before the session hibernates. */
  readonly writeBuffer: { readonly bytes: number; readonly stall: number }
  /** Of one account: offline messages, roster items, subscription requests that wait for an answer. */
  readonly account: { readonly offline: number; readonly roster: number; readonly pendingSubscriptions: number; readonly registrations: number }
  /** Occupants of a room, rooms of a user, history sent on join, messages a second of one occupant and of one room. */
  readonly muc: {
    readonly users: number
    readonly roomsPerUser: number
    readonly history: number
    readonly occupantRate: number
    readonly roomRate: number
  }
  /** XEP-0313: rows of one page, queries of one session at once, how long rows are kept. */
  readonly mam: { readonly page: number; readonly inFlight: number; readonly keep: number }
  readonly pubsub: { readonly items: number; readonly nodes: number; readonly itemBytes: number; readonly subscriptions: number }
  /** Bytes of one file and of one day, and how long its address lives. */
  readonly upload: {
    readonly visitor: number
    readonly agent: number
    readonly visitorDay: number
    readonly agentDay: number
    readonly life: number
  }
  readonly http: {
    readonly headers: number
    readonly json: number
    readonly url: number
    readonly headersTimeout: number
    readonly requestTimeout: number
    readonly keepAlive: number
  }
  /** Server-sent events: streams of one token, bytes that may wait for a slow reader, the time between comments. */
  readonly events: { readonly perToken: number; readonly buffer: number; readonly beat: number }
  /** Bytes and fragments of one message, and the time between pings. */
  readonly websocket: { readonly frame: number; readonly fragments: number; readonly ping: number }
  readonly bosh: { readonly wait: number; readonly inactivity: number; readonly polling: number; readonly hold: number }
  /** A customer on a web page: messages a second, characters of a line, of his name, of a variable; chats an hour from one address, and from one other server; open chats. */
  readonly visitor: {
    readonly messages: Rate
    readonly text: number
    readonly name: number
    readonly variables: number
    readonly variable: number
    readonly chatsPerHour: number
    readonly chatsPerDomain: number
    readonly open: number
  }
  /** Mails an hour to one mail address and by one network address; automatic replies a day to one mail address. */
  readonly mail: { readonly perRecipient: number; readonly perAddress: number; readonly autoReplies: number }
  /** Dials at once, bytes that wait for one domain, how long they wait, how long one connection may take. */
  readonly s2s: { readonly dials: number; readonly queue: number; readonly timeout: number; readonly connect: number }
}
