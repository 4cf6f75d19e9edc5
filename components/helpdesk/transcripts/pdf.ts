// Draws a transcript as PDF, from text alone: nothing in it is fetched, run or linked (shell, in a thread of its own).
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import PDFDocument from 'pdfkit'
import type { Printed } from './record.ts'

/** The bytes of a PDF on A4. `at` = when it was made, in ms since 1970. */
export async function drawPdf({ title, details, fields, lines }: Printed, at: number): Promise<Buffer> {
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
  for (const l of lines) {
    doc.font('bold').fontSize(9).fillColor('black').text(l.desk ? '*' : l.name, { continued: true })
    doc.font('plain').fontSize(8).fillColor('#555555').text(`  ${l.at}`, { continued: false })
    doc.font('plain').fontSize(10).fillColor('black').text(l.body.replaceAll('\t', '    ')).moveDown(0.4)
  }
  doc.end()
  return done
}

const font = (name: string): Promise<Buffer> => readFile(fileURLToPath(import.meta.resolve(`dejavu-fonts-ttf/ttf/${name}`)))
