// The parts of @xmpp/client that the tests use: it brings no types.
declare module '@xmpp/client' {
  import type { Element } from 'ltx'
  interface Client {
    on(event: 'stanza', listener: (stanza: Element) => void): void
    on(event: 'error', listener: (error: Error) => void): void
    start(): Promise<unknown>
    stop(): Promise<unknown>
    send(stanza: Element): Promise<void>
    readonly reconnect: { stop(): void }
    readonly streamManagement?: { enabled: boolean }
  }
  export function client(options: { service: string; domain: string; username: string; password: string; resource?: string; /** ms */ timeout?: number }): Client
}
