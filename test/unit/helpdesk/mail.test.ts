// Mails: to a real SMTP server, tried again, counted, and nothing that people wrote becomes a header.
import assert from 'node:assert/strict'
import { mailAddress, readLetter, type Letter } from '../../../components/helpdesk/mail/letter.ts'
import { Outbox, type OutboxOptions } from '../../../components/helpdesk/mail/outbox.ts'
import { smtpCarrier, type SmtpOptions } from '../../../components/helpdesk/mail/smtp.ts'
import { openJobs } from '../../../server/jobs/jobs.ts'
import { makeCertificate } from '../../../server/net/self-signed.ts'
import type { TestClock } from '../../../server/ports/clock.ts'
import { defaultLimits } from '../../../server/ports/limits.ts'
import { silent } from '../../../server/ports/log.ts'
import type { Stores } from '../../../server/ports/store.ts'
import { openSqlite } from '../../../server/store/sqlite/sqlite.ts'
import { MailSink } from './mail-sink.ts'
import { MovedClock } from '../../harness/clock.ts'

const HOUR = 3_600_000
const hello: Letter = { kind: 'notice', to: 'ann@example.org', subject: 'Hello', text: 'Hi Ann' }
const from = { name: 'Example Support', address: 'support@example.com' }

describe('mail', () => {
  let sink: MailSink
  let port: number
  let stores: Stores
  let clock: TestClock
  let desks = 0
  const open: Outbox[] = []
  const box = async (more: Partial<OutboxOptions> = {}, smtp: Partial<SmtpOptions> = {}): Promise<Outbox> => {
    const carrier = smtpCarrier({ host: '127.0.0.1', port, tls: 'none', from, ...smtp })
    const { desk = `help${++desks}.x` } = more
    const jobs = await openJobs({ documents: stores.documents, owner: desk, clock, log: silent })
    const b = await Outbox.open({ documents: stores.documents, desk, clock, jobs, log: silent, carrier, limits: defaultLimits.mail, ...more })
    await jobs.start()
    const close = b.close.bind(b)
    b.close = async () => { await close(); await jobs.close() }
    open.push(b)
    return b
  }
  before(async () => { stores = await openSqlite({ file: ':memory:' }) })
  after(() => stores.close())
  beforeEach(async () => { sink = new MailSink(); port = await sink.listen(); clock = new MovedClock() })
  afterEach(async () => { await Promise.all(open.splice(0).map(b => b.close())); await sink.close() })

  it('ST-48 a mail reaches the server with its text and its file, to the one address', async () => {
    const b = await box()
    const posted = await b.send({ ...hello, text: 'Grüße\nvon uns', files: [{ name: 'chat-12.pdf', type: 'application/pdf', content: Buffer.from('%PDF-x').toString('base64') }], replyTo: 'desk@example.com' })
    assert.equal(posted.is, 'queued')
    const [mail] = await sink.arrived(1)
    assert.deepEqual([mail?.from, mail?.to, mail?.headers.get('to'), mail?.headers.get('from'), mail?.headers.get('reply-to'), mail?.headers.get('subject'), mail?.headers.get('auto-submitted')],
      ['support@example.com', ['ann@example.org'], 'ann@example.org', 'Example Support <support@example.com>', 'desk@example.com', 'Hello', 'auto-generated'])
    assert.match(mail?.raw ?? '', /Gr=C3=BC=C3=9Fe/)
    assert.match(mail?.raw ?? '', /filename=chat-12\.pdf[\s\S]*JVBERi14/)
    await b.idle()
    assert.equal(b.size, 0)
  })

  it('OM-21 each of the chosen operators gets each message, however many there are', async () => {
    const b = await box()
    for (let i = 0; i < 8; i++) for (const to of ['ann@example.org', 'bob@example.org']) assert.equal((await b.send({ ...hello, to, subject: `Offline ${i}` })).is, 'queued')
    const mails = await sink.arrived(16)
    for (const to of ['ann@example.org', 'bob@example.org']) assert.deepEqual(mails.filter(m => m.to[0] === to).map(m => m.headers.get('subject')).sort(), Array.from({ length: 8 }, (_, i) => `Offline ${i}`))
  })

  it('OM-21 a busy server gets the mail later, a refusing one is not asked again', async () => {
    const b = await box()
    sink.answers.push({ code: 451, text: 'busy' }, { code: 421, text: 'still busy' })
    await b.send(hello)
    await b.idle()
    assert.deepEqual([sink.mails.length, b.size], [0, 1])
    await clock.advance(60_000)
    await clock.advance(4 * 60_000)
    assert.deepEqual([sink.mails.length, b.size], [0, 1])
    await clock.advance(60_000)
    assert.deepEqual([sink.mails.length, b.size], [1, 0])
    sink.answers.push({ code: 550, text: 'no such user' })
    await b.send({ ...hello, to: 'nobody@example.org' })
    await b.idle()
    await clock.advance(48 * HOUR)
    assert.deepEqual([sink.mails.length, b.size], [1, 0])
  })

  it('OM-21 what waits outlives a restart and is sent once, under the same message id', async () => {
    const desk = 'restart.x'
    const first = await box({ desk })
    sink.answers.push({ code: 451, text: 'busy' })
    const posted = await first.send({ ...hello, key: 'offline-7' })
    await first.idle()
    await first.close()
    const again = await box({ desk })
    assert.equal(again.size, 1)
    assert.deepEqual(await again.send({ ...hello, key: 'offline-7' }), posted)
    await clock.advance(60_000)
    assert.deepEqual(sink.mails.map(m => m.headers.get('message-id')), ['<offline-7@example.com>'])
    assert.deepEqual(await again.send({ ...hello, key: 'offline-7' }), posted)
    await again.idle()
    assert.equal(sink.mails.length, 1)
  })

  it('OM-21 a mail that waits for hours outlives a process that dies, and is sent once at its time', async () => {
    const desk = 'dies.x'
    const first = await box({ desk })
    sink.answers.push(...Array.from({ length: 4 }, () => ({ code: 451, text: 'busy' })))
    await first.send({ ...hello, key: 'late-7' })
    await first.idle()
    for (const minutes of [1, 5, 15]) await clock.advance(minutes * 60_000) // the fourth attempt is an hour away
    assert.deepEqual([sink.mails.length, first.size], [0, 1])
    open.splice(0) // and here it dies: nothing is closed, nothing it holds runs any more
    clock = new MovedClock()
    await clock.advance(21 * 60_000)
    const again = await box({ desk })
    await clock.advance(59 * 60_000)
    assert.deepEqual([sink.mails.length, again.size], [0, 1])
    await clock.advance(2 * 60_000)
    assert.deepEqual(sink.mails.map(m => m.headers.get('message-id')), ['<late-7@example.com>'])
    await clock.advance(48 * HOUR)
    assert.deepEqual([sink.mails.length, again.size], [1, 0])
  })

  it('OM-21 nobody listens: the mail waits, and is given up after days, not for ever', async () => {
    const b = await box({}, { port: 1 })
    await b.send(hello)
    await b.idle()
    assert.equal(b.size, 1)
    await clock.advance(7 * 24 * HOUR)
    assert.equal(b.size, 0)
  })

  it('SEC-W13 no automatic reply goes to an address that nobody proved, and one a day to one that was', async () => {
    const b = await box()
    const auto: Letter = { ...hello, kind: 'auto-reply', subject: 'We got it', text: 'We will answer.' }
    for (let i = 0; i < 100; i++) assert.deepEqual((await b.send({ ...auto, to: `victim${i}@example.org` })).is, 'refused')
    for (let i = 0; i < 5; i++) assert.equal((await b.send({ ...auto, verified: true, to: i % 2 ? 'ANN@example.org' : 'ann@example.org' })).is, i === 0 ? 'queued' : 'refused')
    await b.idle()
    assert.equal(sink.mails.length, 1)
    assert.equal(sink.mails[0]?.headers.get('auto-submitted'), 'auto-replied')
    await clock.advance(24 * HOUR)
    assert.equal((await b.send({ ...auto, verified: true })).is, 'queued')
    await b.idle()
    assert.equal(sink.mails.length, 2)
  })

  it('SEC-E18 five mails an hour to one address, twenty from one network address, also over a restart', async () => {
    const desk = 'limits.x'
    let b = await box({ desk })
    const ask = async (to: string, ip: string): Promise<string> => { const p = await b.send({ ...hello, kind: 'asked', to, from: ip }); return p.is === 'queued' ? 'ok' : p.why }
    for (let i = 0; i < 5; i++) assert.equal(await ask('ann@example.org', `10.0.0.${i}`), 'ok')
    assert.equal(await ask('ann@example.org', '10.0.0.9'), 'limited')
    for (let i = 0; i < 20; i++) assert.equal(await ask(`u${i}@example.org`, '10.1.1.1'), 'ok')
    await b.close()
    b = await box({ desk })
    assert.equal(await ask('ann@example.org', '10.0.0.10'), 'limited')
    assert.equal(await ask('new@example.org', '10.1.1.1'), 'limited')
    assert.equal(await ask('new@example.org', '10.1.1.2'), 'ok')
    await clock.advance(HOUR)
    assert.equal(await ask('ann@example.org', '10.1.1.1'), 'ok')
    await clock.advance(25 * HOUR)
    assert.ok(await b.sweep() > 20)
    assert.equal(await b.sweep(), 0)
  })

  it('SEC-W14 what could become a header or a second address is refused, and nothing is sent', async () => {
    const b = await box()
    const bad = ['a@x.org\r\nRCPT TO:<b@y.org>', 'a@x.org\n', 'a@x.org,b@y.org', 'a@x.org b@y.org', 'Ann <a@x.org>', 'friends:a@x.org,b@y.org;', '"a b"@x.org', 'a(c)@x.org', 'a@x.org>', '<a@x.org>', 'a@[127.0.0.1]', 'a@localhost', 'a@x..org', '.a@x.org', 'a@x.org.',
      'a@-x.org', '@x.org', 'a@', '', `${'a'.repeat(100_000)}@x.org`, `a@${'x'.repeat(100_000)}.org`, 'a\u0000@x.org', 'a@x\u2028.org', 'a@x.org SIZE=1', 'a@x.org%0d%0a', 'a@127.0.0.1', 'a@x.org/..']
    for (const to of bad) assert.equal((await b.send({ ...hello, to })).is, 'refused', JSON.stringify(to.slice(0, 60)))
    for (const subject of ['Hi\r\nBcc: b@y.org', 'Hi\nX: y', 'Hi\u0000', '', ' ', 'x'.repeat(251), 'a\u2028b']) assert.equal((await b.send({ ...hello, subject })).is, 'refused', JSON.stringify(subject))
    for (const name of ['a\r\nX: y', 'a"b', '../a', '']) assert.equal((await b.send({ ...hello, files: [{ name, type: 'text/plain', content: '' }] })).is, 'refused', name)
    assert.equal((await b.send({ ...hello, files: [{ name: 'a', type: 'text/plain\r\nX: y', content: '' }] })).is, 'refused')
    assert.equal((await b.send({ ...hello, replyTo: 'x@y.org, z@y.org' })).is, 'refused')
    await b.idle()
    assert.equal(sink.mails.length, 0)
  })

  it('SEC-W14 what is taken gives one recipient and the same headers, whatever stands in subject and text', async () => {
    const b = await box()
    const subjects = ['plain', 'a, b <c@d.org>', 'group: x@y.org;', '=?utf-8?Q?=0D=0ABcc:_b@y.org?=', 'ünï', '"quoted"', '\\', 'x'.repeat(250)]
    for (const subject of subjects) await b.send({ ...hello, subject, text: '.\r\nRCPT TO:<b@y.org>\r\n.\r\nQUIT\r\n{{7*7}}' })
    const mails = await sink.arrived(subjects.length)
    for (const m of mails) {
      assert.deepEqual(m.to, ['ann@example.org'])
      assert.deepEqual([...m.headers.keys()].sort(), ['auto-submitted', 'content-transfer-encoding', 'content-type', 'date', 'from', 'message-id', 'mime-version', 'subject', 'to'])
      assert.equal(m.headerLines.length, 9)
      assert.match(m.raw, /\r\n\.\r\nRCPT TO/)
    }
  })

  it('SEC-W14 takes the addresses that people have', () => {
    for (const ok of ['a@x.org', 'Ann.Lee+tag@mail.example.co.uk', "o'hara@x.org", 'a_b-c@x-y.org', '1@2.de']) assert.equal(mailAddress(ok), ok)
    assert.equal(mailAddress('ann@Bücher.EXAMPLE'), 'ann@xn--bcher-kva.example')
    assert.deepEqual(readLetter(hello), hello)
  })

  it('SEC-W27 an address is forgotten with what waits for it and what was counted, and nobody else', async () => {
    const b = await box({}, { port: 1 })
    for (const to of ['ann@example.org', 'bob@example.org']) await b.send({ ...hello, kind: 'asked', to })
    await b.idle()
    const sent = ['end-help.x-1-ann@example.org', 'end-help.x-2-joann@example.org', 'end-help.x-3-x-ann@example.org', 'left-1700000000000-v1@web.x m1-anna@x', 'left-1700000000000-av1@web.x m1-anna@x']
    for (const key of sent) await stores.documents.put('desk-mails-sent', `help${desks}.x`, key, 0)
    await b.forget(undefined, 'v1@web.x')
    assert.equal(await b.forget('Ann@example.org'), 1)
    assert.deepEqual((await stores.documents.range('desk-mails-sent', `help${desks}.x`, { limit: 9 })).map(d => d.id), [sent[1], sent[2], sent[4]].sort())
    assert.equal(b.size, 1)
    assert.deepEqual((await stores.documents.range<{ letter: Letter }>('desk-mails', `help${desks}.x`, { limit: 9 })).map(d => d.value.letter.to), ['bob@example.org'])
    assert.deepEqual((await stores.documents.range('desk-mail-rates', `help${desks}.x`, { limit: 9 })).map(d => d.id), ['to:bob@example.org'])
  })

  it('SEC-W14 with TLS demanded, nothing is said to a server without it or with a certificate that is not trusted', async () => {
    const { certificate, key } = makeCertificate(['127.0.0.1'], Date.now() - HOUR, Date.now() + HOUR)
    const safe = new MailSink({ tls: { cert: certificate, key }, password: 'sesame' })
    const safePort = await safe.listen()
    const login = { user: 'desk', password: 'sesame', tls: 'starttls' as const }
    const plain = await box({}, login)
    const untrusted = await box({}, { ...login, port: safePort })
    const trusted = await box({}, { ...login, port: safePort, ca: certificate })
    for (const b of [plain, untrusted, trusted]) { await b.send(hello); await b.idle() }
    assert.deepEqual([plain.size, untrusted.size, trusted.size, sink.mails.length], [1, 1, 0, 0])
    assert.deepEqual(safe.mails.map(m => m.user), ['desk'])
    await safe.close()
  })
})
