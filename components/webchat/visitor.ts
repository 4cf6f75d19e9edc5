// A customer's browser: his pages, his conversation, and whether he is here.
import { Lane, type Jid } from '../../server/api.ts'
import type { ConversationView, LineView } from '../../schemas/webchat.ts'
import type { Bucket } from './limits.ts'
import type { Tab } from './tab.ts'

export const isLive = (c: ConversationView | undefined): boolean => c !== undefined && c.state !== 'closed'
export const isOver = (c: ConversationView | undefined): boolean => !c || c.state === 'ended' || c.state === 'closed'

/** How far the desk knows where he is: nothing to say, told he is here (or never told otherwise), told he is gone. */
export type Whereabouts = 'nowhere' | 'here' | 'gone'

export class Visitor {
  readonly jid: Jid
  readonly key: string // the hash of his token
  readonly tabs = new Set<Tab>()
  readonly bucket: Bucket
  /** What he says is done in order, whichever page says it. */
  readonly lane: Lane<() => Promise<void>>
  waiting = 0 // things to do in the lane
  identified = false // his site has signed who he is: agents may ask him for a talk while he is here
  born: boolean // his token is kept
  conversation: ConversationView | undefined
  whereabouts: Whereabouts = 'nowhere'
  leaving: Disposable | undefined
  composed = -Infinity // when his typing was last passed on

  constructor(jid: Jid, key: string, born: boolean, bucket: Bucket, onBug: (bug: unknown) => void) {
    this.jid = jid
    this.key = key
    this.born = born
    this.bucket = bucket
    this.lane = new Lane(work => work(), onBug)
  }

  /** Takes what the desk says of his conversation; older news are dropped. Tells every page. */
  adopt(c: ConversationView): void {
    if (this.conversation && c.number < this.conversation.number) return
    this.conversation = c
    for (const tab of this.tabs) {
      if (tab.conversation < c.number) tab.goTo(c.number, 0)
      tab.door.tell({ type: 'conversation', conversation: c })
      if (tab.seq < c.seq) void tab.fill()
    }
  }

  line(l: LineView): void {
    for (const tab of this.tabs) tab.line(l)
  }
}
