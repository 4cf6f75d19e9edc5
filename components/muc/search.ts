// XEP-0433: public rooms are found by words in their names, descriptions and addresses. Pure.
import { el, form, isTrue, readForm, refuse, StanzaError, type Element, type FormValues } from '../../server/api.ts'
import { cut, NS_RSM, pageSet, readPage } from '../../protocols/paging.ts'
import type { RoomConfig } from '../../protocols/room/config.ts'

const BASE = 'urn:xmpp:channel-search:0'
export const NS_SEARCH = `${BASE}:search`
const PARAMS = `${BASE}:search-params`
const ERROR = `${BASE}:error`
const BY_USERS = `{${BASE}:order}nusers`
const BY_ADDRESS = `{${BASE}:order}address`
const MUC = 'xep-0045'
const PAGE = 100
const LONGEST = 1000 // characters of a query

/** A room that everybody may know of. */
export interface Channel { readonly jid: string; readonly config: RoomConfig; readonly users: number }

/** The answer to `<search/>`: the form, or a page of what it finds among `channels`. */
export function search(asked: Element, channels: () => readonly Channel[]): Element | StanzaError {
  const x = asked.child('x', 'jabber:x:data')
  if (!x) return el('search', NS_SEARCH, {}, searchForm())
  const read = readForm(x)
  if (read?.type !== 'submit' || read.formType !== PARAMS) return refuse('bad-request', `The form's FORM_TYPE is not ${PARAMS}.`)
  const page = readPage(asked.child('set', NS_RSM), PAGE)
  if (page instanceof StanzaError) return page
  const wanted = readQuery(read)
  if (wanted instanceof StanzaError) return wanted
  const found = channels().filter(wanted.fits).map(c => ({ c, id: wanted.byUsers ? `${String(999_999_999 - c.users).padStart(9, '0')} ${c.jid}` : c.jid })).sort((a, b) => a.id < b.id ? -1 : 1)
  const ids = found.map(f => f.id)
  const [start, end] = cut(ids, page)
  const told = found.slice(start, end)
  const ends = told.length ? { first: told[0]!.id, last: told.at(-1)!.id, index: start } : {} // length says they are there
  return el('result', NS_SEARCH, {}, ...told.map(f => item(f.c)), pageSet({ ...ends, count: found.length }))
}

/** The fields that are heeded, with what they mean where they are left out. */
const searchForm = (): Element => form({
  type: 'form', formType: PARAMS, title: 'Search for rooms',
  fields: [
    { var: 'q', type: 'text-single', label: 'Search for' },
    { var: 'all', type: 'boolean', label: 'All rooms', value: false },
    { var: 'sinname', type: 'boolean', label: 'Search in names', value: true },
    { var: 'sindescription', type: 'boolean', label: 'Search in descriptions', value: true },
    { var: 'sinaddress', type: 'boolean', label: 'Search in addresses', value: true },
    { var: 'min_users', type: 'text-single', label: 'Occupants at least', value: '0' },
    { var: 'types', type: 'list-multi', label: 'Kinds of rooms', value: [MUC], options: [{ label: 'Rooms (XEP-0045)', value: MUC }] },
    { var: 'key', type: 'list-single', label: 'In the order of', value: BY_ADDRESS, options: [{ label: 'Address', value: BY_ADDRESS }, { label: 'Number of occupants', value: BY_USERS }] },
  ],
})

function readQuery({ values }: FormValues): { readonly fits: (c: Channel) => boolean; readonly byUsers: boolean } | StanzaError {
  const yes = (...names: string[]): boolean => names.map(n => isTrue(values.get(n))).find(v => v !== undefined) ?? true
  const key = values.get('key')?.[0] ?? BY_ADDRESS
  if (key !== BY_ADDRESS && key !== BY_USERS) return new StanzaError('feature-not-implemented', undefined, el('invalid-sort-key', ERROR), 'modify')
  const q = values.get('q')?.[0]
  const all = isTrue(values.get('all')) ?? false
  if (all && q?.trim()) return wrong('One cannot both have all rooms and search by words.', el('conflicting-fields', ERROR, {}, el('var', ERROR, {}, 'all'), el('var', ERROR, {}, 'q')))
  if (!all && q === undefined) return wrong('Say what to search for.', el('no-search-conditions', ERROR))
  const words = folded(q ?? '').split(/\s+/).filter(w => w !== '')
  if (!all && (words.length === 0 || q!.length > LONGEST)) return wrong(`A search has one word at least, and ${LONGEST} characters at most.`, el('invalid-search-terms', ERROR)) // it is there
  const least = Number(values.get('min_users')?.[0]?.trim() || 0)
  if (!Number.isInteger(least) || least < 0) return wrong('min_users is not a number.')
  const rooms = values.get('types')?.includes(MUC) ?? true
  const [inName, inDescription, inAddress] = [yes('sinname'), yes('sindescription'), yes('sinaddress', 'sinaddr')]
  return {
    byUsers: key === BY_USERS,
    fits: ({ jid, config, users }) => {
      if (!rooms || users < least) return false
      const text = folded([inName ? config.name : '', inDescription ? config.description : '', inAddress ? jid : ''].join('\n'))
      return words.every(w => text.includes(w))
    },
  }
}

function item({ jid, config, users }: Channel): Element {
  const of = (name: string, text: string): Element[] => text === '' ? [] : [el(name, NS_SEARCH, {}, text)]
  return el('item', NS_SEARCH, { address: jid },
    ...of('name', config.name), ...of('description', config.description), ...of('language', config.language), ...of('nusers', String(users)), ...of('service-type', MUC),
    ...of('is-open', String(!config.membersOnly && config.password === '')), ...of('anonymity-mode', config.whois === 'anyone' ? `{${BASE}:anonymity}none` : 'muc_semianonymous'))
}

const folded = (text: string): string => text.normalize('NFKD').replace(/[\u0300-\u036F]/g, '').toLowerCase()
const wrong = (text: string, detail?: Element): StanzaError => refuse('bad-request', text, detail)
/** More than somebody may ask in so short a time; `after`: seconds until the next one. */
export const tooOften = (after: number): StanzaError => refuse('resource-constraint', 'Too many searches.', el('rate-limit', ERROR, { 'retry-after': String(after) }))
