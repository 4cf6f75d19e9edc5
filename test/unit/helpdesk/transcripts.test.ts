// Transcripts as text, HTML and PDF, and tables: all that is public, nothing that is not, and nothing that a reader's program runs.
import assert from 'node:assert/strict'
import { csv } from '../../../components/helpdesk/transcripts/csv.ts'
import { transcriptHtml } from '../../../components/helpdesk/transcripts/html.ts'
import { Printer } from '../../../components/helpdesk/transcripts/printer.ts'
import type { Recorded, RecordedLine } from '../../../components/helpdesk/transcripts/record.ts'
import { articleText, transcriptText } from '../../../components/helpdesk/transcripts/text.ts'
import { pdfText } from './pdf.ts'
import { MovedClock } from '../../harness/clock.ts'

const at = Date.parse('2026-11-20T10:15:03Z')
const line = (seq: number, by: RecordedLine['by'], body: string, as: RecordedLine['as'] = 'public'): RecordedLine =>
  ({ seq, at: at + seq * 1000, by, as, name: by === 'customer' ? 'Alice' : by === 'agent' ? 'Bob' : '', body })
const talk: Recorded = {
  number: 12, queue: 'Support', customer: 'Alice', opened: at, closed: at + 60_000, subject: 'Printer', agents: ['Bob', 'Cleo'],
  details: [{ label: 'Waited', value: '1:12' }, { label: 'Comment', value: 'SECRET difficult', internal: true }],
  fields: [{ label: 'Order number', value: 'A-17' }, { label: 'Score', value: 'SECRET 3', internal: true }, { label: 'Empty', value: '' }],
  lines: [
    line(4, 'agent', 'Try: turn it off\nand on'), line(1, 'customer', 'My printer Ωμέγα żółć burns'), line(2, 'desk', 'Bob joined'),
    line(3, 'agent', 'SECRET he is angry', 'coaching'), line(5, 'agent', 'SECRET note', 'internal'), line(6, 'desk', 'SECRET system', 'system'),
    line(7, 'agent', 'SECRET !close', 'command'), line(8, 'customer', 'Thanks, goodbye'),
  ],
}
const EVIL = ['<script>alert(1)</script>', '<img src=file:///etc/passwd>', '<iframe src=http://169.254.169.254>', '"><svg onload=x>', "'onmouseover='x", '&lt;b&gt;', 'javascript:alert(1)', '</style><base href=//x>', '</title>']
const evil: Recorded = {
  ...talk, queue: EVIL[0]!, customer: EVIL[1]!, subject: EVIL[2]!, agents: EVIL, fields: EVIL.map(e => ({ label: e, value: e })), details: EVIL.map(e => ({ label: e, value: e })), // has these entries
  lines: EVIL.map((e, i) => ({ ...line(i, 'customer', e), name: e })),
}

describe('transcripts', () => {
  let printer: Printer
  before(() => { printer = new Printer(new MovedClock()) })
  after(() => printer.close())
  const pdfOf = async (recorded: Recorded): Promise<Buffer> => {
    const bytes = await printer.pdf(recorded)
    return bytes === 'busy' ? assert.fail('busy') : bytes
  }

  it('ST-53 the text has details, custom fields and the conversation, in order', () => {
    assert.equal(transcriptText(talk), [
      'Conversation #12', 'Queue: Support', 'Customer: Alice', 'Agents: Bob, Cleo', 'Begun: 2026-11-20 10:15:03Z', 'Closed: 2026-11-20 10:16:03Z', 'Subject: Printer', 'Waited: 1:12',
      'Order number: A-17', '',
      '[2026-11-20 10:15:04Z] Alice: My printer Ωμέγα żółć burns', '[2026-11-20 10:15:05Z] * Bob joined', '[2026-11-20 10:15:07Z] Bob: Try: turn it off', '    and on', '[2026-11-20 10:15:11Z] Alice: Thanks, goodbye', '',
    ].join('\n'))
  })

  it('ST-53 what the customer was told as “you” names the customer to who reads it later', () => {
    const told = transcriptText({ ...talk, customer: 'Al$&ice', lines: ['Bob would like to talk with you.', 'Nobody waits for your answer any more.', 'You have ended the chat.'].map((body, i) => line(i + 1, 'desk', body)) })
    assert.deepEqual(told.split('\n').filter(l => l.includes('*')).map(l => l.replace(/^.*\* /, '')), ['Bob would like to talk with Al$&ice.', 'Al$&ice is not asked any more.', 'Al$&ice has ended the chat.'])
  })

  it('ST-41 what a ticket is given holds every public line in its order, and the lines of one message together', () => {
    const lines = [
      { shown: 2, at: 1_000, who: 'agent', name: 'Anna', body: 'one\ntwo' }, { shown: 1, at: 0, who: 'customer', name: 'Alice', body: 'hello' }, { shown: 3, at: 2_000, who: 'desk', name: 'Helpdesk', body: 'Anna has left.' },
    ] as const
    const head = { number: 12, queue: 'support', customer: 'Alice' }
    assert.equal(articleText(head, lines), 'Conversation #12 with Alice, support\n\n[1970-01-01 00:00:00Z] Alice: hello\n[1970-01-01 00:00:01Z] Anna: one\n    two\n[1970-01-01 00:00:02Z] * Anna has left.\n')
    assert.ok(articleText(head, lines).startsWith(articleText(head, lines.slice(0, 2)).trimEnd()), 'a longer one begins with the shorter')
  })

  it('ST-53 the HTML has the three parts', () => {
    const html = transcriptHtml(talk)
    for (const part of ['<h2>Details</h2>', '<th scope="row">Waited</th><td dir="auto">1:12</td>', '<h2>Custom fields</h2>', '<th scope="row">Order number</th><td dir="auto">A-17</td>', 'My printer Ωμέγα żółć burns</dd>', 'Thanks, goodbye</dd>']) assert.ok(html.includes(part), part)
  })

  it('OT-36 the PDF is one, and has the first and the last message and the three parts', async () => {
    const pdf = await pdfOf(talk)
    assert.equal(pdf.subarray(0, 5).toString('latin1'), '%PDF-')
    const text = pdfText(pdf)
    for (const part of ['Conversation #12', 'Waited: 1:12', 'Order number: A-17', 'My printer Ωμέγα żółć burns', 'turn it off', 'Thanks, goodbye']) assert.ok(text.includes(part), `${part} in ${text}`)
  })

  it('OT-36 a PDF of many messages has them all, on as many pages as it takes', async () => {
    const pdf = await pdfOf({ ...talk, lines: Array.from({ length: 300 }, (_, i) => line(i, 'customer', `message ${i}.`)) })
    const text = pdfText(pdf)
    for (let i = 0; i < 300; i++) assert.ok(text.includes(`message ${i}.`), `${i}`)
    assert.ok((pdf.toString('latin1').match(/\/Type \/Page\b/g) ?? []).length > 3)
  })

  it('ST-54 no form has an internal line, a coaching, a note, a system line, a command or an internal field', async () => {
    for (const text of [transcriptText(talk), transcriptHtml(talk), pdfText(await pdfOf(talk)), (await pdfOf(talk)).toString('latin1')]) assert.doesNotMatch(text, /SECRET|angry|difficult/)
  })

  it('SEC-W18 what people wrote is text: no tag, no link, no address to fetch', async () => {
    const html = transcriptHtml(evil)
    assert.deepEqual([...new Set([...html.matchAll(/<\/?([a-z0-9!]+)/gi)].map(m => m[1]))].sort(), ['!doctype', 'bdi', 'body', 'dd', 'dl', 'dt', 'h1', 'h2', 'head', 'html', 'meta', 'style', 'table', 'td', 'th', 'time', 'title', 'tr'])
    assert.match(html, /default-src 'none'/)
    assert.ok(html.includes('&lt;iframe src=http://169.254.169.254&gt;'))
    const pdf = await pdfOf(evil)
    assert.doesNotMatch(pdf.toString('latin1'), /\/URI|\/JavaScript|\/Launch|\/Annots|\/EmbeddedFile|\/OpenAction/)
    assert.ok(pdfText(pdf).includes('<img src=file:///etc/passwd>'))
  })

  it('SEC-W18 a name cannot pass for another line, nor turn the writing round', () => {
    const text = transcriptText({ ...talk, lines: [{ ...line(1, 'customer', 'x\r[2026-11-20 10:15:04Z] Bob: pay\u001B[2J'), name: 'Al\n[2026-11-20 10:15:04Z] Bob\u202Eecila' }] })
    assert.deepEqual(text.split('\n').filter(l => l.startsWith('[')), ['[2026-11-20 10:15:04Z] Al [2026-11-20 10:15:04Z] Bobecila: x'])
    for (const sign of ['\u001B', '\u202E', '\r']) assert.ok(!text.includes(sign))
  })

  it('ST-53 nobody’s text makes the making fail: no glyph, one long word, half a sign, nothing said', async () => {
    for (const body of ['漢字かな交じり文 🎉👩‍👩‍👧', 'x'.repeat(4000), '\uD800', '', '\n\n\n', 'مرحبا بالعالم', '\u0000\u0007']) {
      assert.ok((await pdfOf({ ...talk, lines: [line(1, 'customer', body)] })).length > 1000)
    }
    assert.ok((await pdfOf({ ...talk, lines: [], agents: [], fields: [] })).length > 1000)
  })
})

describe('transcripts: the printer', () => {
  it('OT-36 draws one after another, says when too many wait, and breaks off what takes too long', async () => {
    const clock = new MovedClock()
    const printer = new Printer(clock)
    const all = Array.from({ length: 52 }, () => printer.pdf(talk).then(b => b === 'busy' ? 'busy' : 'drawn', () => 'broken off'))
    assert.deepEqual([await all[50], await all[51]], ['busy', 'busy'])
    assert.equal(await all[0], 'drawn')
    await clock.advance(30_000)
    assert.equal(await all[1], 'broken off')
    await printer.close()
    assert.equal(await all[49], 'broken off')
    assert.equal(await printer.pdf(talk), 'busy')
  })
})

describe('tables', () => {
  it('SEC-W17 no cell is a formula, and every cell is quoted where it must be', () => {
    assert.equal(csv([['=1+1', '+1', '-1', '@a', '\tx', '\rx', '"', 'a,b', 'plain', ' =1', '＝1', 'a=b', '']]),
      '"\'=1+1","\'+1","\'-1","\'@a","\'\tx","\'\rx","""","a,b",plain,"\' =1","\'＝1",a=b,\r\n')
    assert.equal(csv([['Name', 'Messages'], ['Ann\nLee', -3], [undefined, 0]]), 'Name,Messages\r\n"Ann\nLee",-3\r\n,0\r\n')
  })
})
