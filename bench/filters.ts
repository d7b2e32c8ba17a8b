/**
 * Building the filters of a block, their size, and how many pages they keep for texts that are not there.
 * `node bench/filters.ts [MB]`; GB and MB are powers of ten of raw line bytes.
 */
import { FilterBuilder } from '#/storage/filter/build-filter.ts'
import { chanceOf } from '#/storage/filter/fixture/check-probes.ts'
import { ReadCounter, openEncoded, pagesOf } from '#/storage/filter/fixture/filter-pages.ts'
import type { PageCondition } from '#/storage/filter/filter.ts'
import type { TextRanges } from '#/storage/column/text-values.ts'
import { LogGenerator } from '../tools/gen-data.ts'

const megabytes = Number(process.argv[2] ?? 32)
const rounds = 7
const PAGE_BYTES = 2 * 1024 * 1024
const NEEDLES = 200

type Values = Pick<TextRanges, 'source' | 'count' | 'starts' | 'ends'>
type Page = { readonly lines: Buffer; readonly lengths: Uint32Array; readonly values: readonly [string, Values][] }

/** Streams of one application stand side by side, as in a block. */
function makePages(): Page[] {
  const lines = Math.ceil((megabytes * 1e6) / 140)
  const generator = new LogGenerator({ seed: 5, streams: 250, startNs: 0n, spanNs: 86_400_000_000_000n, lines })
  const rows: { readonly app: string; readonly line: Buffer; readonly meta: readonly (readonly [string, string])[] }[] =
    []
  while (generator.truth.bytes < megabytes * 1e6) {
    const { stream, text, level, metadata } = generator.next()
    rows.push({ app: stream.text, line: Buffer.from(text), meta: [...metadata, ['detected_level', level]] })
  }
  rows.sort((a, b) => (a.app < b.app ? -1 : a.app > b.app ? 1 : 0))
  const pages: Page[] = []
  for (let from = 0; from < rows.length;) {
    let to = from
    for (let size = 0; to < rows.length && size + rows[to]!.line.length <= PAGE_BYTES; to++)
      size += rows[to]!.line.length
    const own = rows.slice(from, to)
    const names = new Set(own.flatMap(({ meta }) => meta.map(([name]) => name)))
    pages.push({
      lines: Buffer.concat(own.map(({ line }) => line)),
      lengths: Uint32Array.from(own, ({ line }) => line.length),
      values: Array.from(names, (name) => [
        name,
        valuesOf(own.flatMap(({ meta }) => meta.filter(([other]) => other === name).map(([, value]) => value))),
      ]),
    })
    from = to
  }
  return pages
}

function valuesOf(texts: readonly string[]): Values {
  const source = Buffer.from(texts.join(''))
  const ends = new Uint32Array(texts.length)
  let end = 0
  for (const [i, text] of texts.entries()) ends[i] = end += text.length
  return { source, count: texts.length, starts: ends.map((at, i) => at - texts[i]!.length), ends }
}

const pages = makePages()
const lineBytes = pages.reduce((sum, { lines }) => sum + lines.length, 0)

function build(parts: { readonly lines: boolean; readonly values: boolean }): ReturnType<FilterBuilder['finish']> {
  const builder = new FilterBuilder(lineBytes)
  for (const { lines, lengths, values } of pages) {
    if (parts.lines) builder.addLines(lines, lengths)
    if (parts.values) for (const [name, ranges] of values) builder.addValues(name, ranges)
    builder.endPage()
  }
  return builder.finish()
}

for (const [what, parts] of [
  ['lines', { lines: true, values: false }],
  ['metadata', { lines: false, values: true }],
  ['both', { lines: true, values: true }],
] as const) {
  let best = Infinity
  let sizes = { words: new Uint8Array(0), bloom: new Uint8Array(0) } as ReturnType<typeof build>
  for (let round = 0; round < rounds; round++) {
    const before = process.cpuUsage()
    sizes = build(parts)
    const { user, system } = process.cpuUsage(before)
    best = Math.min(best, (user + system) / 1e6)
  }
  const perRaw = (bytes: number): string => `${((bytes / lineBytes) * 1000).toFixed(1)} MB`
  console.log(
    `${what.padEnd(9)} ${(lineBytes / best / 1e6).toFixed(0).padStart(4)} MB/s, ${((best / lineBytes) * 1e9).toFixed(2)} CPU-s/GB; per GB of lines: bloom ${perRaw(sizes.bloom.length)}, words ${perRaw(sizes.words.length)}`,
  )
}

const counter = new ReadCounter()
const filter = await openEncoded(build({ lines: true, values: true }), pages.length, counter)
console.log(`${pages.length} pages, ${(filter.memoryBytes / 1024).toFixed(0)} KiB in memory when open`)
const below = chanceOf(9)
const digits = (alphabet: string, size: number): string =>
  Array.from({ length: size }, () => alphabet[below(alphabet.length)]).join('')
const hex = (size: number): string => digits('0123456789abcdef', size)
const letters = (size: number): string => digits('abcdefghijklmnopqrstuvwxyz', size)
const text = (wanted: string, anyCase = false): PageCondition => ({ kind: 'text', text: wanted, anyCase })

const questions: readonly (readonly [string, () => PageCondition])[] = [
  ['absent UUID', () => text(`${hex(8)}-${hex(4)}-${hex(4)}-${hex(4)}-${hex(12)}`)],
  ['absent id of 32 digits', () => text(hex(32))],
  ['absent id of 32 digits, any case', () => text(hex(32), true)],
  ['absent id of 16 digits', () => text(hex(16))],
  ['the same between separators', () => text(`=${hex(16)} `)],
  ['the same behind a separator', () => text(`=${hex(16)}`)],
  ['absent number of 7 digits between separators', () => text(` ${1e6 + below(9e6)} `)],
  ['absent number of 7 digits', () => text(String(1e6 + below(9e6)))],
  ['absent word of 7 letters', () => text(letters(7))],
  ['absent phrase', () => text(`order ${letters(6)}ed by`)],
  ['absent value of metadata', () => ({ kind: 'value', name: 'trace_id', value: hex(32) })],
]
for (const [what, make] of questions) {
  counter.reads = counter.bytes = 0
  let kept = 0
  for (let i = 0; i < NEEDLES; i++) kept += pagesOf(await filter.pagesWith(make()), pages.length).length
  const share = ((kept / NEEDLES / pages.length) * 100).toFixed(2)
  console.log(
    `${what.padEnd(46)} ${share.padStart(6)} % of the pages kept; ${(counter.reads / NEEDLES).toFixed(1)} reads, ${(counter.bytes / NEEDLES / 1024).toFixed(1)} KiB each`,
  )
}
