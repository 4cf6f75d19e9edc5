// A transcript as PDF, drawn from text alone: nothing in it is fetched, run or linked (shell).
import { readFile } from 'node:fs/promises'
import { setImmediate as breathe } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import PDFDocument from 'pdfkit'
import { printed, type Recorded } from './record.ts'

const BREATH = 50 // lines drawn before others have their turn
const fonts = new Map<string, Promise<Buffer>>()

/** The bytes of a PDF on A4: details, custom fields, public lines. `at` = when it was made, in ms since 1970. */
export async function transcriptPdf(recorded: Recorded, at: number): Promise<Buffer> {
  const { title, details, fields, lines } = printed(recorded)
  const [plain, bold] = await Promise.all([font('DejaVuSans.ttf'), font('DejaVuSans-Bold.ttf')])
  const when = new Date(at)
  const doc = new PDFDocument({ size: 'A4', margin: 56, info: { Title: title, Producer: 'deskbell', Creator: 'deskbell', CreationDate: when, ModDate: when } })
  const chunks: Buffer[] = []
  const done = new Promise<Buffer>((resolve, reject) => {
    doc.on('data', (chunk: Buffer) => chunks.push(chunk))
    doc.on('end', () => resolve(Buffer.concat(chunks)))
    doc.on('error', reject)
  })
  doc.registerFont('plain', plain)
  doc.registerFont('bold', bold)

  doc.font('bold').fontSize(16).text(title).moveDown(0.5)
  for (const [heading, rows] of [['Details', details], ['Custom fields', fields]] as const) {
    if (rows.length === 0) continue
    doc.font('bold').fontSize(11).text(heading)
    doc.font('plain').fontSize(9)
    for (const f of rows) doc.text(`${f.label}: ${f.value}`)
    doc.moveDown(0.7)
  }
  doc.font('bold').fontSize(11).text('Conversation').moveDown(0.3)
  for (const [i, l] of lines.entries()) {
    if (i % BREATH === BREATH - 1) await breathe()
    doc.font('bold').fontSize(9).fillColor('black').text(l.desk ? '*' : l.name, { continued: true })
    doc.font('plain').fontSize(8).fillColor('#555555').text(`  ${l.at}`, { continued: false })
    doc.font('plain').fontSize(10).fillColor('black').text(l.body.replaceAll('\t', '    ')).moveDown(0.4)
  }
  doc.end()
  return done
}

function font(name: string): Promise<Buffer> {
  let bytes = fonts.get(name)
  if (!bytes) fonts.set(name, bytes = readFile(fileURLToPath(import.meta.resolve(`dejavu-fonts-ttf/ttf/${name}`))))
  return bytes
}
