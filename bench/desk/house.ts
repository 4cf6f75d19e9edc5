// A desk of its own for the benches: in this process, on a store in a folder, with as many agents as are asked for.
import { helpdesk } from '../../components/helpdesk/desk.ts'
import type { DeskConfig } from '../../components/helpdesk/config.ts'
import type { Privileges } from '../../server/component/component.ts'
import { mount } from '../../server/component/mount.ts'
import type { Clock } from '../../server/ports/clock.ts'
import { defaultLimits } from '../../server/ports/limits.ts'
import { silent } from '../../server/ports/log.ts'
import type { Stores } from '../../server/ports/store.ts'
import { HttpRouter } from '../../server/net/http.ts'
import { Router } from '../../server/route/router.ts'
import { el } from '../../server/xml/element.ts'
import { Jid } from '../../server/stanza/jid.ts'
import { Stanza, type AnyStanza } from '../../server/stanza/stanza.ts'
import type { Resource } from '../../server/session/account.ts'

export const DESK = 'help.localhost'
const nothing = { [Symbol.dispose]() {} }

export interface Bench extends AsyncDisposable {
  readonly http: HttpRouter
  /** Resolves when the desk has kept what it does. */
  says(from: string, to: string, body: string): Promise<void>
  comes(from: string): Promise<void>
}

/** `agents` of them, and the manager mia, whose token is any text. `hears` gets what is sent to people. */
export async function openDesk({ stores, clock, agents, config, hears = () => {} }: { stores: Stores; clock: Clock; agents: number; config: DeskConfig; hears?: (s: AnyStanza) => void }): Promise<Bench> {
  const router = new Router()
  const http = new HttpRouter()
  const people = [...Array.from({ length: agents }, (_, i) => ({ jid: `a${i}@localhost`, role: 'agent' as const })), { jid: 'mia@localhost', role: 'manager' as const }]
  const privileges: Privileges = {
    people: async () => people, onPeople: () => nothing, inject: async () => {}, withdraw: async () => {}, injected: async () => [], standing: async () => ({ watches: false, groups: [] }),
    onAttachment: () => nothing, onTokens: () => nothing, token: async () => ({ id: 't', jid: 'mia@localhost', role: 'manager' }),
  }
  router.add('localhost', { deliver: hears })
  const desk = await mount(helpdesk(config), { domain: DESK, clock, network: clock, log: silent, stores, limits: defaultLimits, http, privileges }, router)
  let ids = 0
  return {
    http,
    async says(from, to, body) {
      const held: Promise<unknown>[] = []
      const via = { hold: (p: Promise<unknown>) => { held.push(p) }, jid: Jid.parse(from), deliver() {} } as unknown as Resource // as much of one as a mounted component asks for
      await router.route(Stanza.of('message', { type: 'chat', from: Jid.parse(from), to: Jid.parse(to), id: `b${++ids}` }, [el('body', 'jabber:client', {}, body)]), via)
      await Promise.all(held)
    },
    async comes(from) { await router.route(Stanza.of('presence', { type: 'available', from: Jid.parse(from), to: Jid.parse(`desk@${DESK}`) }, [])) },
    [Symbol.asyncDispose]: () => desk[Symbol.asyncDispose](),
  }
}
