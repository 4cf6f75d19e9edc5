// How a node is set up (XEP-0060 section 16.4.4): what it may be, read from forms and written to them. Pure.
import { form, isTrue, readForm, refuse, type Element, type Field, type FormValues, type StanzaError } from '../../server/api.ts'
import { fault, FORM_CONFIG, FORM_META, FORM_OPTIONS, unsupported } from './names.ts'

export const ACCESS_MODELS = ['open', 'presence', 'roster', 'authorize', 'whitelist'] as const
export type AccessModel = (typeof ACCESS_MODELS)[number]
const PUBLISH_MODELS = ['publishers', 'subscribers', 'open'] as const
const LAST = ['never', 'on_sub', 'on_sub_and_presence'] as const
const TYPES = ['headline', 'normal'] as const
const REPLIES = ['none', 'publisher'] as const

export interface NodeConfig {
  readonly title: string
  readonly description: string
  /** What the payloads are, usually their namespace; told to others, not checked. */
  readonly type: string
  readonly access: AccessModel
  /** Who may read where the access model is roster. */
  readonly groups: readonly string[]
  readonly publish: (typeof PUBLISH_MODELS)[number]
  readonly subscribe: boolean
  /** False: only the last item is kept, in memory. */
  readonly persist: boolean
  readonly maxItems: number | 'max'
  /** Bytes of a payload; the service's own limit holds beside it. */
  readonly maxPayload: number | 'max'
  readonly sendLast: (typeof LAST)[number]
  readonly notifications: boolean
  readonly payloads: boolean
  readonly messageType: (typeof TYPES)[number]
  readonly notifyConfig: boolean
  readonly notifyDelete: boolean
  readonly notifyRetract: boolean
  /** The items go when the owner's last device does. */
  readonly purgeOffline: boolean
  /** Whether an item tells who published it. */
  readonly itemReply: (typeof REPLIES)[number]
  /** A collection holds nodes, no items (XEP-0248); absent: a leaf. */
  readonly kind?: 'collection'
  /** The collection that it stands in; absent: none, it is found at the root. */
  readonly collection?: string
}

/** What holds for a node of a personal service (XEP-0163 section 5) where its owner says nothing. */
export const PERSONAL: NodeConfig = {
  title: '', description: '', type: '', access: 'presence', groups: [], publish: 'publishers', subscribe: true, persist: true, maxItems: 1, maxPayload: 'max',
  sendLast: 'on_sub_and_presence', notifications: true, payloads: true, messageType: 'headline', notifyConfig: false, notifyDelete: true, notifyRetract: true,
  purgeOffline: false, itemReply: 'none',
}

/** What a service allows. */
export interface Bounds {
  readonly models: ReadonlySet<AccessModel>
  /** The most items of a node; what `max` stands for. */
  readonly items: number
  /** The largest payload, in bytes. */
  readonly itemBytes: number
  /** Nodes may be collections and stand in one. */
  readonly collections?: boolean
}

interface Setting {
  readonly name: string // without pubsub#
  readonly field: Omit<Field, 'var' | 'value'>
  show(c: NodeConfig): NonNullable<Field['value']>
  /** The config with this value; undefined if the value is none, or not allowed. */
  take(c: NodeConfig, values: readonly string[], bounds: Bounds): NodeConfig | undefined
}
type KeyOf<T> = { [K in keyof NodeConfig]-?: NodeConfig[K] extends T ? (T extends NodeConfig[K] ? K : never) : never }[keyof NodeConfig]

const flag = (name: string, key: KeyOf<boolean>, label: string): Setting => ({
  name, field: { type: 'boolean', label },
  show: c => c[key],
  take: (c, values) => { const yes = isTrue(values); return yes === undefined ? undefined : { ...c, [key]: yes } },
})
const line = (name: string, key: KeyOf<string>, label: string): Setting => ({
  name, field: { type: 'text-single', label },
  show: c => c[key],
  take: (c, [value = '']) => (value.length > LONGEST ? undefined : { ...c, [key]: value }),
})
const choice = (name: string, key: keyof NodeConfig, options: readonly string[], label: string, may: (value: string, bounds: Bounds) => boolean = () => true): Setting => ({
  name, field: { type: 'list-single', label, options },
  show: c => c[key] as string, // the callers below name keys of texts
  take: (c, [value = ''], bounds) => (options.includes(value) && may(value, bounds) ? { ...c, [key]: value } : undefined),
})
const amount = (name: string, key: 'maxItems' | 'maxPayload', label: string, most: (bounds: Bounds) => number): Setting => ({
  name, field: { type: 'text-single', label },
  show: c => String(c[key]),
  take: (c, [value = ''], bounds) => {
    if (value === 'max') return { ...c, [key]: 'max' }
    const n = /^\d{1,9}$/.test(value) ? Number(value) : 0
    return n >= 1 && n <= most(bounds) ? { ...c, [key]: n } : undefined
  },
})

const LONGEST = 1023 // characters of a text
const GROUPS = 100

const SETTINGS: readonly Setting[] = [
  line('title', 'title', 'A name for the node'),
  line('description', 'description', 'What it is for'),
  line('type', 'type', 'The namespace of its payloads'),
  choice('access_model', 'access', ACCESS_MODELS, 'Who may subscribe and read', (v, b) => b.models.has(v as AccessModel)), // one of the options
  {
    name: 'roster_groups_allowed', field: { type: 'list-multi', label: 'The groups that may, where the access model is roster' },
    show: c => c.groups,
    take: (c, groups) => (groups.length > GROUPS || groups.some(g => g.length > LONGEST) ? undefined : { ...c, groups }),
  },
  choice('publish_model', 'publish', PUBLISH_MODELS, 'Who may publish'),
  flag('subscribe', 'subscribe', 'Others may subscribe'),
  flag('persist_items', 'persist', 'Keep the items'),
  amount('max_items', 'maxItems', 'How many items are kept at most, or max', b => b.items),
  amount('max_payload_size', 'maxPayload', 'Bytes of a payload at most, or max', b => b.itemBytes),
  choice('send_last_published_item', 'sendLast', LAST, 'When to send the last item'),
  flag('deliver_notifications', 'notifications', 'Send events'),
  flag('deliver_payloads', 'payloads', 'Send payloads with the events'),
  choice('notification_type', 'messageType', TYPES, 'The type of the messages that carry events'),
  flag('notify_config', 'notifyConfig', 'Tell subscribers of a new configuration'),
  flag('notify_delete', 'notifyDelete', 'Tell subscribers when the node is deleted'),
  flag('notify_retract', 'notifyRetract', 'Tell subscribers when items are removed'),
  flag('purge_offline', 'purgeOffline', 'Forget the items when the publisher goes offline'),
  choice('itemreply', 'itemReply', REPLIES, 'Whether items tell who published them'),
]
const BY_NAME = new Map(SETTINGS.map(s => [`pubsub#${s.name}`, s]))

/** The configuration form, to be filled in or as a result. `children`: the nodes in a collection; they are changed on their own side. */
export function configForm(c: NodeConfig, bounds: Bounds, type: 'form' | 'result' = 'form', children: readonly string[] = []): Element {
  const fields = SETTINGS.map((s): Field => ({
    var: `pubsub#${s.name}`, ...s.field, value: s.show(c),
    ...(s.name === 'access_model' && { options: ACCESS_MODELS.filter(m => bounds.models.has(m)) }),
    ...(s.name === 'roster_groups_allowed' && { options: c.groups }),
  }))
  const { collections = false } = bounds
  return form({ type, formType: FORM_CONFIG, fields: [
    { var: 'pubsub#node_type', type: 'list-single', label: collections ? 'A leaf holds items, a collection nodes' : 'A leaf: it holds items', value: c.kind ?? 'leaf', options: collections ? ['leaf', 'collection'] : ['leaf'] },
    ...(collections ? [{ var: 'pubsub#collection', type: 'text-multi' as const, label: 'The collection that it stands in', value: c.collection === undefined ? [] : [c.collection] }] : []),
    ...(c.kind === 'collection' ? [{ var: 'pubsub#children', type: 'text-multi' as const, label: 'The nodes in it', value: children }] : []),
    ...fields,
  ] })
}

/** What disco#info of a node tells beside its identity (section 5.4). */
export function metaForm(c: NodeConfig, more: { readonly created: number; readonly owners: readonly string[]; readonly items: number }): Element {
  const told = ['title', 'description', 'type', 'access_model', 'publish_model', 'max_items'].map(name => BY_NAME.get(`pubsub#${name}`)!) // they stand above
  return form({ type: 'result', formType: FORM_META, fields: [
    ...told.map((s): Field => ({ var: `pubsub#${s.name}`, ...s.field, value: s.show(c) })),
    { var: 'pubsub#creation_date', value: new Date(more.created).toISOString() },
    { var: 'pubsub#owner', type: 'jid-multi', value: more.owners },
    { var: 'pubsub#num_items', value: String(more.items) },
  ] })
}

/** `c` changed by a form that somebody filled in; fields that are not there or not known stay as they are. */
export function configured(c: NodeConfig, x: Element | undefined, bounds: Bounds): NodeConfig | StanzaError {
  const given = readForm(x)
  if (!given || (given.formType !== undefined && given.formType !== FORM_CONFIG)) return refuse('bad-request', 'A filled-in node_config form is needed.')
  if (given.type === 'cancel') return c
  const placed = place(c, given, bounds)
  return 'condition' in placed ? placed : taken(placed, given, bounds)
}

/** What XEP-0248 lets a form say: the kind of the node, and where it stands. */
function place(c: NodeConfig, { values }: FormValues, { collections = false }: Bounds): NodeConfig | StanzaError {
  const kind = values.get('pubsub#node_type')?.[0]
  const parents = values.get('pubsub#collection')?.filter(v => v !== '')
  if (!collections) return kind === 'collection' || parents?.length ? unsupported('collections') : c
  if (kind !== undefined && kind !== 'leaf' && kind !== 'collection') return refuse('not-acceptable', 'A node is a leaf or a collection.')
  if (kind === 'leaf' && c.kind === 'collection') return fault('not-allowed', 'invalid-options', 'A collection stays one.') // section 7.3
  if (parents && parents.length > 1) return fault('not-allowed', 'invalid-options', 'A node stands in one collection.')
  const { collection, ...rest } = c
  const parent = parents ? parents[0] : collection
  return { ...rest, ...(kind === 'collection' && { kind }), ...(parent !== undefined && { collection: parent }) }
}

function taken(c: NodeConfig, given: FormValues, bounds: Bounds): NodeConfig | StanzaError {
  let next = c
  for (const [name, values] of given.values) {
    const setting = BY_NAME.get(name)
    if (!setting || (values.length === 0 && setting.field.type !== 'list-multi')) continue
    const changed = setting.take(next, values, bounds)
    if (!changed) return name === 'pubsub#access_model' ? fault('not-acceptable', 'unsupported-access-model') : refuse('not-acceptable', `${name} cannot be ${values.join(', ').slice(0, 100)}.`)
    next = changed
  }
  return next
}

/**
 * What publish-options ask of a node (section 7.1.5): for one that is there, whether it is so; for a new one (`existing` false), the
 * config that makes it so. Fields that nobody knows are not met by any node.
 */
export function meets(c: NodeConfig, options: Element | undefined, bounds: Bounds, existing: boolean): NodeConfig | StanzaError {
  if (!options) return c
  const given = readForm(options.elements.find(e => e.name === 'x'))
  if (!given || (given.formType !== undefined && given.formType !== FORM_OPTIONS)) return refuse('bad-request', 'publish-options need their form.')
  for (const name of given.values.keys()) if (!BY_NAME.has(name) && name !== 'pubsub#node_type' && name !== 'pubsub#collection') return fault('conflict', 'precondition-not-met', `${name} is not known here.`)
  const wanted = configured(c, form({ type: 'submit', fields: [...given.values].map(([name, value]) => ({ var: name, type: 'list-multi', value })) }), bounds)
  if ('condition' in wanted) return existing && wanted.condition === 'not-acceptable' ? fault('conflict', 'precondition-not-met', wanted.text) : wanted
  return !existing || isSame(c, wanted, bounds) ? wanted : fault('conflict', 'precondition-not-met')
}

function isSame(a: NodeConfig, b: NodeConfig, bounds: Bounds): boolean {
  const plain = (c: NodeConfig): string => JSON.stringify({ ...c, groups: [...c.groups].sort(), maxItems: itemsOf(c, bounds), maxPayload: payloadOf(c, bounds) })
  return plain(a) === plain(b)
}

/** How many items a node keeps. */
export const itemsOf = (c: NodeConfig, bounds: Pick<Bounds, 'items'>): number => (c.persist ? Math.min(c.maxItems === 'max' ? Infinity : c.maxItems, bounds.items) : 1)
/** How many bytes a payload may have. */
export const payloadOf = (c: NodeConfig, bounds: Pick<Bounds, 'itemBytes'>): number => Math.min(c.maxPayload === 'max' ? Infinity : c.maxPayload, bounds.itemBytes)
