/**
 * What a block's columns take: bytes by column and encoding, and the CPU of decoding each, over the realistic lines of the
 * generator. `node bench/column-sizes.ts [MB] [streams]`; MB are powers of ten of raw line bytes.
 */
import { decodeBlockPage } from '#/logs/store/block-page.ts'
import { COLUMN_LENGTH, COLUMN_LINE, COLUMN_STREAM, COLUMN_TIME, metaNameOf } from '#/logs/store/columns.ts'
import { makeHeadPages, testBlockInput } from '#/logs/store/fixture/head-pages.ts'
import type { PlainRow } from '#/logs/store/fixture/head-pages.ts'
import type { PageBytes } from '#/logs/store/log-block.ts'
import { openLogBlock } from '#/logs/store/open-log-block.ts'
import { writeLogBlock } from '#/logs/store/write-log-block.ts'
import { MemoryStore } from '#/platform/objstore/memory.ts'
import { encodingName } from '#/storage/column/encoding.ts'
import { LogGenerator } from '../tools/gen-data.ts'

const megabytes = Number(process.argv[2] ?? 32)
const streams = Number(process.argv[3] ?? 250)
const rounds = 5
/** As dense as 500 MB in a day. */
const lines = Math.ceil((megabytes * 1e6) / 140)
const spanNs = BigInt(Math.round(86_400e9 * Math.min(1, megabytes / 500)))

/** The rows themselves must not stay: a garbage collector that walks them would be what is measured. */
function makeHead(): ReturnType<typeof makeHeadPages> & { readonly lineBytes: number } {
  const generator = new LogGenerator({ seed: 7, streams, startNs: 0n, spanNs, lines })
  const rows: PlainRow[] = []
  while (generator.truth.bytes < megabytes * 1e6) {
    const { stream, timeNs, text, level, metadata } = generator.next()
    const meta = [...metadata, ['detected_level', level] as const]
    rows.push({ labels: stream.labels, time: Number(timeNs) % 86_400e9, line: Buffer.from(text), meta })
  }
  return { ...makeHeadPages(rows, 65_536), lineBytes: generator.truth.bytes }
}

function cpuSeconds(run: () => void): number {
  let best = Infinity
  for (let round = 0; round < rounds; round++) {
    const before = process.cpuUsage()
    run()
    const { user, system } = process.cpuUsage(before)
    best = Math.min(best, (user + system) / 1e6)
  }
  return best
}

function decodeColumn(page: PageBytes, name: string): unknown {
  const decoded = decodeBlockPage(page)
  const metaName = metaNameOf(name)
  if (metaName !== undefined) return decoded.meta(metaName)
  if (name === COLUMN_TIME) return decoded.time
  if (name === COLUMN_STREAM) return decoded.stream
  if (name === COLUMN_LENGTH) return decoded.lineStart
  const { lines: found } = decoded
  decoded.release()
  return name === COLUMN_LINE ? found : undefined
}

const { index, pages, lineBytes } = makeHead()
const input = testBlockInput({ index, pages })
const gigabytes = lineBytes / 1e9
const { meta, parts } = writeLogBlock(input)
const written = cpuSeconds(() => void writeLogBlock(input))
console.log(
  `${meta.rowCount} rows, ${(lineBytes / 1e6).toFixed(0)} MB of lines, ${meta.pageCount} pages: ` +
    `${(meta.sizeBytes / gigabytes / 1e6).toFixed(1)} MB/GB, written in ${(written / gigabytes).toFixed(2)} CPU-s/GB`,
)
const store = new MemoryStore({ nowMs: () => 0 } as ConstructorParameters<typeof MemoryStore>[0])
await store.put(meta.key, parts)
const block = await openLogBlock(store, meta)
const read = await block.readPages([...block.pages.keys()], { lengths: true, lines: true, meta: 'all' }, undefined)
const names = [...new Set(read.flatMap((page) => page.columns.map(({ name }) => name)))]
console.log('column'.padEnd(22), 'MB/GB', ' decode CPU-s/GB', ' encodings (MB/GB)')
for (const name of names) {
  const having = read.filter((page) => page.columns.some((column) => column.name === name))
  const bytesBy = new Map<string, number>()
  for (const { columns } of having) {
    for (const column of columns) {
      if (column.name !== name) continue
      const encoding = encodingName(column.encoding)
      bytesBy.set(encoding, (bytesBy.get(encoding) ?? 0) + column.sizeBytes)
    }
  }
  const total = [...bytesBy.values()].reduce((a, b) => a + b, 0)
  const seconds = cpuSeconds(() => having.forEach((page) => decodeColumn(page, name)))
  const perGb = (bytes: number): string => (bytes / gigabytes / 1e6).toFixed(1)
  const encodings = [...bytesBy].map(([encoding, bytes]) => `${encoding} ${perGb(bytes)}`).join(', ')
  console.log(name.padEnd(22), perGb(total).padStart(5), (seconds / gigabytes).toFixed(3).padStart(16), ` ${encodings}`)
}
