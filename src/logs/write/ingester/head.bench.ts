/**
 * What it costs to take entries into memory: `node src/logs/write/ingester/head.bench.ts`. Batches of a megabyte, as after the
 * distributor, with lines scattered over the body; in order, with equal times, and out of order.
 */
import { unpooledMemory } from './page-memory.ts'
import { TenantHeads } from './tenant-heads.ts'
import { compactBatch, decodeEntryBatch, encodeEntryBatch } from '#/logs/wire/entry-batch-codec.ts'
import type { EntryBatch } from '#/logs/wire/entry-batch.ts'
import { hashTexts } from '#/storage/index/text-table.ts'

const LINE_BYTES = 150
const META_BYTES = 40
const ROWS = 5000
const STREAMS = 250
const BATCHES = 400

type Order = 'ascending' | 'equal times' | 'out of order'

function makeBatch(number: number, order: Order): EntryBatch {
  const gap = 20
  const bytes = Buffer.alloc(ROWS * (LINE_BYTES + gap))
  const meta = Buffer.alloc(ROWS * META_BYTES)
  const time = new Float64Array(ROWS)
  for (let row = 0; row < ROWS; row++) {
    bytes.write(
      `ts=${number} row=${row} level=info msg="something happened here" duration=12ms `,
      row * (LINE_BYTES + gap),
    )
    meta.set([0, 18], row * META_BYTES)
    meta.set([1, 18], row * META_BYTES + 20)
    const index = number * ROWS + row
    time[row] = order === 'ascending' ? index : order === 'equal times' ? number * 1e6 : (index * 7919) % 1e9
  }
  return {
    rowCount: ROWS,
    streams: hashTexts(
      Array.from({ length: STREAMS }, (_, i) => `{app="app-${i % 13}", instance="instance-${i}", namespace="prod"}`),
    ),
    stream: Uint32Array.from({ length: ROWS }, (_, row) => Math.floor((row * STREAMS) / ROWS)),
    day: new Int32Array(ROWS).fill(20_000),
    time,
    bytes,
    lineStart: Uint32Array.from({ length: ROWS }, (_, row) => row * (LINE_BYTES + gap)),
    lineLength: new Uint32Array(ROWS).fill(LINE_BYTES),
    meta,
    metaStart: Uint32Array.from({ length: ROWS }, (_, row) => row * META_BYTES),
    metaLength: new Uint32Array(ROWS).fill(META_BYTES),
    metaNames: ['trace_id', 'span_id'],
  }
}

function measure(name: string, run: (batch: EntryBatch, index: number) => void, order: Order = 'ascending'): void {
  let cpuMs = 0
  for (let i = 0; i < BATCHES; i++) {
    const batch = makeBatch(i, order)
    const before = process.cpuUsage()
    run(batch, i)
    const { user, system } = process.cpuUsage(before)
    cpuMs += (user + system) / 1000
  }
  const bytes = BATCHES * ROWS * LINE_BYTES
  const rows = BATCHES * ROWS
  console.log(
    `${name.padEnd(28)} ${(cpuMs / 1000 / (bytes / 1e9)).toFixed(2).padStart(6)} CPU-s/GB ` +
      `${Math.round(bytes / 1e3 / cpuMs)} MB/s ${Math.round(rows / cpuMs)}k rows/s`,
  )
}

measure('compact and encode', (batch) => void encodeEntryBatch('fake', compactBatch(batch)))
measure(
  'encode and decode',
  (batch) => void decodeEntryBatch(Buffer.concat(encodeEntryBatch('fake', compactBatch(batch)))),
)
for (const order of ['ascending', 'equal times', 'out of order'] as const) {
  let heads = new TenantHeads('fake', unpooledMemory)
  measure(
    `compact and head, ${order}`,
    (batch, index) => {
      if (heads.liveBytes > 128 * 1024 * 1024) heads = new TenantHeads('fake', unpooledMemory)
      heads.append(compactBatch(batch), index + 1, 0)
    },
    order,
  )
}
