// The thread that draws one PDF and ends: fonts and pages are a tenth of a second's work that nobody else shall wait for.
import { parentPort, workerData } from 'node:worker_threads'
import { drawPdf } from './pdf.ts'
import type { Printed } from './record.ts'

const { page, at } = workerData as { page: Printed; at: number } // given by printer.ts
const bytes = await drawPdf(page, at)
parentPort?.postMessage(bytes)
