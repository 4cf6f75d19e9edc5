// A desk with a place for files beside it, and a browser's requests to it.
import { rm } from 'node:fs/promises'
import { diskFiles } from '../../components/upload/files.ts'
import { upload } from '../../components/upload/upload.ts'
import { mount } from '../../server/component/mount.ts'
import { silent } from '../../server/ports/log.ts'
import type { DeskConfig } from '../../components/helpdesk/config.ts'
import { config, DESK, type DeskHouse, type Staff } from './desk.ts'
import { BOTH, deskWith } from './talks.ts'
import { tempFolder } from './folder.ts'

const UPLOAD = 'upload.localhost'

export interface Files { /** where browsers reach desk and files */ readonly url: string; /** where they lie */ readonly folder: string; put(url: string, body: string, type?: string): Promise<number> }

/** Plays at a desk with these settings, and with an upload service. */
export function filesDesk(settings: object, staff: Staff, play: (d: DeskHouse, f: Files) => Promise<void>, conf: Partial<DeskConfig> = {}): () => Promise<void> {
  let url: string | undefined
  return deskWith(settings, staff, async d => {
    const folder = tempFolder('files')
    const { clock, stores, host, router } = d.house
    const files = upload({ types: [] }, { files: () => diskFiles(folder), base: () => url, serves: name => name === 'localhost', trusts: name => name === DESK })
    const mounted = await mount(files, { domain: UPLOAD, clock, log: silent, stores, limits: host.limits, http: d.http, privileges: d.house.privileges(UPLOAD) }, router)
    try {
      url = await d.url()
      await play(d, { url, folder, put: async (to, body, type) => (await fetch(to, { method: 'PUT', body, ...(type === undefined ? {} : { headers: { 'content-type': type } }) })).status })
    } finally {
      await mounted[Symbol.asyncDispose]()
      await rm(folder, { recursive: true })
    }
  }, config(BOTH, { ...conf, upload: { service: UPLOAD, base: () => url } }))
}
