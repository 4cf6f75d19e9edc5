// Files: how one is chosen or dropped, how it goes to the server, and how it looks in the log.
import type { LineView, Slot } from '../../schemas/webchat.ts'
import { icon, make } from './make.ts'
import { TEXTS } from './texts.ts'

/** The button by which files are chosen; while it is shown they may be dropped on the panel, too. */
export function clip(panel: HTMLElement, attach: (files: FileList) => void): HTMLButtonElement {
  const input = make('input', { type: 'file', multiple: '', hidden: '' })
  const button = make('button', { type: 'button', class: 'clip' })
  button.append(icon('M8 13l6-6a3 3 0 0 1 4 4l-8 8a5 5 0 0 1-7-7l7-7'))
  button.onclick = () => input.click()
  input.onchange = () => { attach(input.files!); input.value = '' } // a chooser of files has them
  panel.append(input)
  panel.ondragover = panel.ondrop = e => {
    const { files } = e.dataTransfer! // nothing is dragged without
    if (button.hidden || !e.dataTransfer!.types.includes('Files')) return
    e.preventDefault()
    if (e.type === 'drop') attach(files)
  }
  return button
}

/** A file in the log, to be saved. */
export function chip({ name, size }: NonNullable<LineView['file']>, link: HTMLElement): HTMLElement[] {
  link.textContent = name
  return size ? [link, make('small', {}, ` ${Math.ceil(size / 1000)} kB`)] : [link]
}

/** What happens to an upload: so much of it went (0 to 1); it is over: handed over by this word, or why not; with neither it is sent again. */
export interface Fate { progress(id: string, part: number): void; over(id: string, file?: string, failed?: string): void }

export class Uploads {
  readonly #base: string
  readonly #fate: Fate
  readonly #files = new Map<string, File>()
  readonly #requests = new Map<string, XMLHttpRequest>()
  constructor(base: string, fate: Fate) { this.#base = base; this.#fate = fate }

  add(id: string, file: File): void { this.#files.set(id, file) }

  /** Sends it where it may lie: to our own server, whatever name that has of itself. */
  put({ id, put, file }: Slot): void {
    const { pathname, search } = new URL(put)
    const request = new XMLHttpRequest()
    this.#requests.set(id, request)
    request.open('PUT', this.#base + pathname + search)
    request.upload.onprogress = e => this.#fate.progress(id, e.loaded / e.total)
    request.onload = () => request.status === 201 ? this.#fate.over(id, file) : this.#fate.over(id, undefined, TEXTS.unsent)
    request.onerror = () => this.#fate.over(id, undefined, navigator.onLine ? TEXTS.unsent : undefined)
    request.send(this.#files.get(id))
  }

  cancel(id: string): void { this.#requests.get(id)?.abort() }
}
