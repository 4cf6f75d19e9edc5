// Saved links and the generator of snippets, by REST; what a link's script asks, by HTTP.
import assert from 'node:assert/strict'
import type { DeskHouse } from '../harness/desk.ts'
import { webDesk } from '../harness/web.ts'

const STAFF = { anna: 'agent', boss: 'admin' } as const
const post = (d: DeskHouse, path: string, body: unknown, who = 'boss'): ReturnType<DeskHouse['rest']> => d.rest('POST', `/api/v1${path}`, who, body)
const FOOTER = {
  title: 'Footer', refresh: 60,
  online: { display: 'image', image: 'https://shop.example.org/on.png', description: 'We are here', anchorTitle: 'Talk to us', url: '', cssClass: 'chat-on' },
  offline: { display: 'text', description: 'Come back', anchorTitle: 'Away', url: 'https://shop.example.org/contact', cssClass: 'chat-off' },
}
async function saved(d: DeskHouse): Promise<void> { const r = await post(d, '/links', { id: 'footer', ...FOOTER }); assert.equal(r.status, 201, JSON.stringify(r.body)); await d.quiet() }
const look = async (url: string, link = 'footer', site = 'default'): Promise<{ status: number; cors: string | null; body: { online: boolean; refresh: number; faces: Record<'online' | 'offline', Record<string, string>> } }> => {
  const r = await fetch(`${url}/webchat/link?site=${site}&link=${link}`, { headers: { origin: 'https://shop.example.org' } })
  return { status: r.status, cors: r.headers.get('access-control-allow-origin'), body: await r.json() as Awaited<ReturnType<typeof look>>['body'] } // looked at by the tests
}

describe('saved links', () => {
  it('SS-24 SS-26 are listed by id and title, made, changed and deleted', webDesk(STAFF, async d => {
    await saved(d)
    assert.deepEqual((await d.rest('GET', '/api/v1/links', 'boss')).body.items.map((l: { id: string; title: string }) => [l.id, l.title]), [['footer', 'Footer']])
    assert.equal((await post(d, '/links', { id: 'x', refresh: 30 })).status, 422)
    assert.equal((await d.rest('PATCH', '/api/v1/links/footer', 'boss', { title: 'Foot' })).body.title, 'Foot')
    assert.equal((await d.rest('DELETE', '/api/v1/links/footer', 'boss')).status, 204)
  }))

  it('SS-25 a script is made of a saved link, and of one in the editor without saving it', webDesk(STAFF, async d => {
    await saved(d)
    const { status, body } = await post(d, '/scripts', { id: 'draft', link: { title: 'Draft' }, kind: 'deferred' })
    assert.equal(status, 200)
    assert.match(body.inPlace, /data-deskbell-link="draft".*>Draft</)
    assert.deepEqual((await d.rest('GET', '/api/v1/links', 'boss')).body.items.map((l: { id: string }) => l.id), ['footer'])
    assert.equal((await post(d, '/scripts', { link: { title: 'Draft', refresh: 1 } })).status, 422)
    assert.equal((await post(d, '/links/nope/script', {})).status, 404)
    assert.equal((await post(d, '/links/footer/script', {}, 'anna')).status, 403)
  }))

  it('SS-33 SS-34 SS-35 OT-50 RULE-C30 normal scripts are for <head>, deferred ones for the end of <body>, and one stands in place of the image without any', webDesk(STAFF, async (d, url) => {
    await saved(d)
    const make = async (kind: string): Promise<{ script: string; inPlace: string; where: string }> => (await post(d, '/links/footer/script', { kind })).body
    const [normal, deferred, bare] = [await make('normal'), await make('deferred'), await make('in-place')]
    assert.deepEqual([normal.where, deferred.where, bare.where], ['head', 'end of body', 'in place'])
    const link = (s: string): string => s.split('\n').find(l => l.includes('link.js')) ?? ''
    assert.equal(link(normal.script), `<script src="${url}/link.js" data-site="default" data-link="footer"></script>`)
    assert.equal(link(deferred.script), `<script src="${url}/link.js" data-site="default" data-link="footer" defer></script>`)
    assert.equal(bare.script, '')
    assert.equal(bare.inPlace, `<a href="${url}/?site=default&amp;link=footer" data-deskbell-link="footer" target="_blank" rel="noopener">Footer</a>`)
    const script = await fetch(`${url}/link.js`)
    assert.equal(script.status, 200)
    assert.match(script.headers.get('content-type') ?? '', /javascript/)
  }))

  it('SS-32 a brand’s scripts are loaded from its host; by default from the server’s own', webDesk(STAFF, async (d, url) => {
    await saved(d)
    await post(d, '/brands', { id: 'acme', host: 'chat.acme.example' })
    assert.match((await post(d, '/links/footer/script', { brand: 'acme' })).body.script, /src="https:\/\/chat\.acme\.example\/link\.js"/)
    assert.ok((await post(d, '/links/footer/script', {})).body.script.includes(`src="${url}/link.js"`))
    assert.equal((await post(d, '/links/footer/script', { brand: 'nope' })).status, 422)
  }))

  it('SS-29 SS-31 SS-39 the script learns whether chat is available and both looks of the link', webDesk(STAFF, async (d, url) => {
    await saved(d)
    const off = await look(url)
    assert.deepEqual([off.status, off.cors, off.body.online, off.body.refresh], [200, '*', false, 60])
    assert.deepEqual(off.body.faces.online, { title: 'Footer', ...FOOTER.online, target: '' })
    assert.deepEqual([off.body.faces.offline['url'], off.body.faces.offline['target'], off.body.faces.offline['cssClass']], [FOOTER.offline.url, '', 'chat-off'])
    await d.comes('anna')
    await d.later(31)
    assert.equal((await look(url)).body.online, true)
    assert.equal((await look(url, 'nope')).status, 404)
  }))
})

describe('the generator of snippets', () => {
  it('OT-48 puts the given words into the snippet, as text that cannot break out', webDesk(STAFF, async (d, url) => {
    const { body } = await post(d, '/snippets', { texts: { newConversation: 'Ask "us" <b>' } })
    assert.equal(body.script, `<script src="${url}/widget.js" data-site="default" data-texts="{&quot;newConversation&quot;:&quot;Ask \\&quot;us\\&quot; &lt;b&gt;&quot;}" defer></script>`)
  }))

  it('OT-49 RULE-C7 keeps nothing: each opening begins with the defaults', webDesk(STAFF, async d => {
    const before = (await d.rest('GET', '/api/v1/snippets', 'boss')).body
    const { version } = (await d.rest('GET', '/api/v1/settings', 'boss')).body
    await post(d, '/snippets', { texts: { send: 'Go' }, kind: 'normal' })
    assert.deepEqual((await d.rest('GET', '/api/v1/snippets', 'boss')).body, before)
    assert.equal((await d.rest('GET', '/api/v1/settings', 'boss')).body.version, version)
    assert.doesNotMatch((await post(d, '/snippets', {})).body.script, /Go|data-texts/)
  }))

  it('OT-52 warns where the page is loaded by https and the chat by http', webDesk(STAFF, async d => {
    assert.match((await post(d, '/snippets', { page: 'https://shop.example.org/' })).body.warnings[0], /mixed content/)
    assert.deepEqual((await post(d, '/snippets', { page: 'http://shop.example.org/' })).body.warnings, [])
    await post(d, '/brands', { id: 'acme', host: 'https://chat.acme.example' })
    assert.deepEqual((await post(d, '/snippets', { page: 'https://shop.example.org/', brand: 'acme' })).body.warnings, [])
  }))
})
