/**
 * Random damage to a data directory: bits flipped, files cut, removed, renamed and copied. The doctor never throws and names every
 * object that was damaged; after its repair a start finds every row that was not hit, once, and a second examination finds nothing
 * that is left to do.
 */
import { testSeed } from '#/kernel/fixture/test-seed.ts'
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { examine } from '#/logs/keeper/doctor/doctor.ts'
import { salvageBlock } from '#/logs/keeper/doctor/salvage-block.ts'
import { openLogBlock } from '#/logs/store/open-log-block.ts'
import { decodeBlockPage } from '#/logs/store/block-page.ts'
import { writeLogBlock } from '#/logs/store/write-log-block.ts'
import type { DoctorReport } from '#/logs/wire/doctor.ts'
import type { PlainEntry } from '#/logs/wire/entry-batch-builder.ts'
import { decodeEntryBatch } from '#/logs/wire/entry-batch-codec.ts'
import type { EntryBatch } from '#/logs/wire/entry-batch.ts'
import type { BuildBlock } from '#/logs/write/ingester/ports.ts'
import type { BlockMeta } from '#/storage/block/meta.ts'
import { shareTexts } from '#/storage/index/shared-texts.ts'
import { openBlock } from '#/storage/block/versions.ts'
import { SECTION_BLOOM_FILTERS, SECTION_PATTERNS, SECTION_WORD_DICTIONARY } from '#/storage/block/v1/format.ts'
import { RECORD_HEADER_BYTES, SEGMENT_HEADER_BYTES } from '#/storage/wal/format.ts'
import { SegmentReader } from '#/storage/wal/segment-reader.ts'
import { blockDir, IngesterHarness, walDir } from './ingester-harness.ts'
import { plainRow, readPage } from './read-rows.ts'
import { SimRandom } from './world/sim-random.ts'

const noon = BigInt(Date.UTC(2026, 0, 15, 12)) * 1_000_000n
const nsPerDay = 86_400_000_000_000n
const tenants = ['a', 'b']
const optional = new Set([SECTION_BLOOM_FILTERS, SECTION_PATTERNS, SECTION_WORD_DICTIONARY])

/** Blocks of several small pages. */
const smallPages: BuildBlock = async ({ tenant, head, ulid, source }) => {
  const { day, streams, pages } = head
  const texts = shareTexts(streams)
  const input = { tenant, day, level: 0, ulid, source, texts, labels: streams.coded(), pages }
  return writeLogBlock({ ...input, minesPatterns: true, pageRows: 4 })
}

function entriesOf(tenant: string, number: number): PlainEntry[] {
  return [0, 1, 2, 3].map((i) => ({
    stream: `{app="${tenant}${i % 2}"}`,
    timeNs: noon + BigInt(number * 10 + i) - (i === 3 ? nsPerDay : 0n),
    line: `${tenant}${number}.${i} `.padEnd(40 + 30 * i, '-'),
    ...(i === 1 && { metadata: { batch: String(number) } }),
  }))
}

/** Where rows lie: bytes [from, to) of a file. With any of them damaged the rows are lost. */
type Place = { readonly file: string; readonly from: number; readonly to: number; readonly rows: readonly string[] }

/** Blocks of two tenants and days, segments with rows that are in no block, and some that are; stopped by a crash. */
async function madeData(seed: number): Promise<{ readonly t: IngesterHarness; readonly places: readonly Place[] }> {
  const options = { wal: { segmentBytes: 1500 }, buildBlock: smallPages }
  const t = await new IngesterHarness(seed, options).start()
  for (let number = 0; number < 9; number++) {
    for (const tenant of tenants) await t.push(entriesOf(tenant, number), tenant)
    if (number === 3 || number === 5) await t.ingester.flush(undefined)
    if (number === 6) await t.ingester.flush('a')
    if (number === 4) await mergeOne(t)
  }
  await t.ingester.shutdown({ flush: false, deadlineMs: 1000 })
  t.world.clock.clear()
  const places: Place[] = []
  for (const tenant of tenants) {
    for (const meta of t.catalog.list(tenant, -Infinity, Infinity)) places.push(...(await placesOfBlock(t, meta)))
  }
  places.push(...(await placesOfWal(t)))
  return { t, places }
}

const mergedDay = `${blockDir}/a/logs/2026-01-14/`

/** What a merge leaves: its output, and its input with a tombstone. */
async function mergeOne({ world, store, catalog }: IngesterHarness): Promise<void> {
  const old = catalog.list('a', -Infinity, Infinity)[0]!
  const block = await openBlock(store, old)
  const made = await salvageBlock(world, store, { block, meta: block.meta, problems: [], badPages: new Set() })
  await catalog.replace([old], [made!])
}

async function placesOfBlock({ store }: IngesterHarness, meta: BlockMeta): Promise<Place[]> {
  const file = `${blockDir}/${meta.key}`
  const { pages, sections } = await openBlock(store, meta)
  const block = await openLogBlock(store, meta)
  const bytes = await block.readPages([...block.pages.keys()], { lengths: true, lines: true, meta: 'all' }, undefined)
  const places: Place[] = []
  const all: string[] = []
  for (const [i, page] of pages.entries()) {
    const rows = readPage(decodeBlockPage(bytes[i]!), meta.day, block.streams)
    all.push(...rows)
    const last = page.columns.at(-1)!
    places.push({ file, from: page.columns[0]!.offset, to: last.offset + last.sizeBytes, rows })
  }
  // without index and footer nothing can be read
  for (const { type, offset, sizeBytes } of sections) {
    if (!optional.has(type)) places.push({ file, from: offset, to: offset + sizeBytes, rows: all })
  }
  const end = Math.max(...sections.map(({ offset, sizeBytes }) => offset + sizeBytes))
  return [...places, { file, from: end, to: meta.sizeBytes, rows: all }]
}

async function placesOfWal({ world, catalog }: IngesterHarness): Promise<Place[]> {
  const places: Place[] = []
  for (const file of world.disk.paths().filter((path) => path.endsWith('.wal'))) {
    await using reader = await SegmentReader.open(world.disk, file)
    const all: string[] = []
    for await (const item of reader.scan()) {
      if (item.kind !== 'record') continue
      const { tenant, batch } = decodeEntryBatch(item.payload)
      const isHeld = (entry: PlainEntry): boolean => {
        const day = Number(entry.timeNs / nsPerDay)
        return catalog.flushedSequence(reader.header!.ingesterId, tenant, day) < item.sequence
      }
      const rows = entriesOfBatch(batch).filter(isHeld).map(plainRow)
      all.push(...rows)
      places.push({ file, from: item.offset, to: item.offset + RECORD_HEADER_BYTES + item.payload.length, rows })
    }
    // one copy of the header is enough, so a single bit in it costs nothing
    places.push({ file, from: -1, to: 0, rows: all })
  }
  return places
}

function entriesOfBatch(batch: EntryBatch): PlainEntry[] {
  return Array.from({ length: batch.rowCount }, (_, row) => {
    const number = Number(/^[ab](\d+)\./.exec(lineOf(batch, row))![1])
    const entries = entriesOf(lineOf(batch, row)[0]!, number)
    return entries.find(({ line }) => line === lineOf(batch, row))!
  })
}

function lineOf({ bytes, lineStart, lineLength }: EntryBatch, row: number): string {
  return bytes.toString('utf8', lineStart[row]!, lineStart[row]! + lineLength[row]!)
}

type Hit = {
  readonly what: string
  /** What a finding must name. */
  readonly file: string
  /** Bytes that are not what they were; undefined: the whole file is gone. */
  readonly bytes: readonly [from: number, to: number] | undefined
  /** Whether the doctor brings everything back. */
  readonly isHealed: boolean
}

/** Damages one file of those that are left, in one way. */
function damage({ world: { disk } }: IngesterHarness, random: SimRandom, files: string[]): Hit {
  const file = files.splice(random.below(files.length), 1)[0]!
  const size = disk.contentOf(file).length
  const kind = random.pick(['flip', 'flip', 'flip', 'cut', 'remove', 'rename', 'copy'] as const)
  const isSmall = file.endsWith('catalog.json') || file.endsWith('ingester-id')
  if (kind === 'cut' && size > 1) {
    const keep = random.below(size)
    disk.plant(file, disk.contentOf(file).subarray(0, keep))
    return { what: `cut ${file} to ${keep} of ${size}`, file, bytes: [keep, size], isHealed: isSmall }
  }
  if (kind === 'remove' && !isSmall) {
    disk.unplant(file)
    return { what: `removed ${file}`, file, bytes: undefined, isHealed: false }
  }
  if (kind === 'rename' && !isSmall) {
    const to = `${file.slice(0, file.lastIndexOf('/'))}/${random.pick(['x.bak', 'lost+found', '00099999.wal', 'y.edda'])}`
    disk.plant(to, disk.contentOf(file))
    disk.unplant(file)
    return { what: `renamed ${file} to ${to}`, file: to, bytes: [0, 0], isHealed: true }
  }
  if (kind === 'copy' && file.endsWith('.edda')) {
    const to = file.replace(/[0-9A-Z]{26}\.edda/, '01ARZ3NDEKTSV4RRFFQ69G5FAV.edda')
    disk.plant(to, disk.contentOf(file))
    return { what: `copied ${file} to ${to}`, file: to, bytes: [0, 0], isHealed: true }
  }
  const offset = random.below(size)
  disk.flipBit(file, offset, random.below(8))
  return { what: `flipped ${file} at ${offset}`, file, bytes: [offset, offset + 1], isHealed: isSmall }
}

function isLost({ file, from, to }: Place, hits: readonly Hit[]): boolean {
  const isUntold = hits.some((hit) => hit.file === `${file.slice(0, file.lastIndexOf('/'))}/catalog.json`)
  return hits.some((hit) => {
    // it may be an input of the merge, as far as anybody can tell: it is reported, and stays where it is
    if (file.startsWith(mergedDay) && isUntold && hit.what.startsWith(`renamed ${file} `)) return true
    if (hit.isHealed || hit.file !== file) return false
    if (hit.bytes === undefined) return true
    const [start, end] = hit.bytes
    // a segment that is cut inside its header has no records that could be read
    if (from < 0) return end - start > 1 && start < 64
    return start < to && end > from
  })
}

function examined(t: IngesterHarness, repairs: boolean): Promise<DoctorReport> {
  return examine({
    world: { ...t.world, disk: t.world.disk.session() },
    places: { root: '/data', blocks: blockDir, wal: walDir },
    isLive: false,
    repairs,
    onProgress: () => undefined,
    signal: new AbortController().signal,
  })
}

/** Some bytes of a segment may be anything: the zeros behind a payload. And nobody knows how long the last one was. */
function mayBeUnnoticed({ file, bytes }: Hit, places: readonly Place[]): boolean {
  if (!file.endsWith('.wal') || bytes === undefined) return false
  const [from, to] = bytes
  if (from < SEGMENT_HEADER_BYTES) return false
  return !places.some((place) => place.file === file && place.to > from && place.from < (to - from === 1 ? to : from))
}

async function run(seed: number): Promise<void> {
  const random = new SimRandom(seed)
  const { t, places } = await madeData(seed)
  const { disk } = t.world
  const files = disk.paths().filter((path) => path.startsWith('/data/'))
  const hits = Array.from({ length: 1 + random.below(4) }, () => damage(t, random, files))
  const context = `seed ${seed}: ${hits.map(({ what }) => what).join(', ')}`
  const before = new Map(disk.paths().map((path) => [path, disk.contentOf(path)]))

  const report = await examined(t, false)
  assert.deepEqual(disk.paths(), [...before.keys()].toSorted(), `${context}: an examination changed names`)
  const named = report.findings.map((one) => `${one.file} ${one.problem}`).join('\n')
  for (const hit of hits) {
    // the first and the last segment may go without a trace, as segments do, and a block together with what names it
    const isUntold = hits.some(({ file }) => file === `${hit.file.slice(0, hit.file.lastIndexOf('/'))}/catalog.json`)
    const isBuried = !places.some(({ file }) => file === hit.file)
    const isTraceless = hit.bytes === undefined && (hit.file.endsWith('.wal') || isUntold || isBuried)
    const name = hit.file.slice(hit.file.lastIndexOf('/') + 1)
    if (!isTraceless && !mayBeUnnoticed(hit, places))
      assert.ok(named.includes(name), `${context}: ${hit.file} is not named in\n${named}`)
  }

  const repaired = await examined(t, true)
  const after = await examined(t, false)
  const still = after.findings.filter(({ kind, severity }) => severity !== 'notice' && !unrepairable.has(kind))
  assert.deepEqual(still, [], `${context}: left after the repair ${JSON.stringify(repaired.findings, null, 1)}`)
  for (const [path, bytes] of before) {
    const isThere = disk.paths().some((one) => disk.contentOf(one).equals(bytes))
    // day files and the report are written anew
    assert.ok(isThere || path.endsWith('catalog.json'), `${context}: the repair lost ${path}`)
  }

  disk.crash()
  await t.start()
  await checkRows(t, places, hits, `${context}\n${JSON.stringify(repaired.findings, null, 1)}`)
}

/** What a start finds: all that was not hit, once. */
async function checkRows(
  t: IngesterHarness,
  places: readonly Place[],
  hits: readonly Hit[],
  context: string,
): Promise<void> {
  const found = (await Promise.all(tenants.map((tenant) => t.rows(tenant)))).flat()
  const seen = new Set(found)
  const everything = new Set(places.flatMap(({ rows }) => rows))
  assert.equal(seen.size, found.length, `${context}: a row is there twice`)
  for (const row of found) assert.ok(everything.has(row), `${context}: a row that nobody sent: ${row}`)
  const lost = new Set(places.filter((place) => isLost(place, hits)).flatMap(({ rows }) => rows))
  for (const row of everything) if (!lost.has(row)) assert.ok(seen.has(row), `${context}: lost ${row}`)
}

/** What is lost is lost, and a segment that lacks another one, or has a damaged record, is read as far as it can be. */
const unrepairable = new Set(['damaged-segment', 'damaged-segment-header', 'missing-segment', 'misplaced-block'])

describe('the doctor', () => {
  it('finds nothing in what is as it was written', async () => {
    const { t } = await madeData(1)
    const { counts, checked, findings } = await examined(t, false)
    assert.deepEqual(counts, { error: 0, warning: 0, notice: 1 }, JSON.stringify(findings))
    assert.equal(findings[0]!.kind, 'tombstoned-block')
    assert.equal(checked.tenants, 2)
    assert.equal(checked.blocks, 11)
  })

  it('names every damaged object, and repairs what can be repaired', async () => {
    const first = testSeed
    const count = Number(process.env['EDDA_TEST_RUNS'] ?? 25)
    for (let seed = first; seed < first + count; seed++) await run(seed)
  })

  it('may be cut short in its repair at every disk operation', async () => {
    const damaged = async (
      seed: number,
    ): Promise<{ t: IngesterHarness; places: readonly Place[]; hits: readonly Hit[] }> => {
      const { t, places } = await madeData(seed)
      const random = new SimRandom(seed)
      const files = t.world.disk.paths().filter((path) => path.startsWith(blockDir))
      return { t, places, hits: Array.from({ length: 5 }, () => damage(t, random, files)) }
    }
    let seed = 0
    let whole: Awaited<ReturnType<typeof damaged>>
    let first: number
    let kinds: Set<string>
    do {
      whole = await damaged(++seed)
      first = whole.t.world.disk.operations
      kinds = new Set((await examined(whole.t, true)).findings.map(({ kind }) => kind))
    } while (!['damaged-pages', 'damaged-day-file', 'misplaced-block'].every((kind) => kinds.has(kind)))
    const { journal } = whole.t.world.disk
    for (let at = first; at < journal.length; at++) {
      if (!/^(?:append|writeFile|sync|syncDir|rename|remove) /.test(journal[at]!)) continue
      const { t, places, hits } = await damaged(seed)
      const context = `seed ${seed}, crash at ${at}, ${journal[at]}`
      t.world.disk.failAt(at, 'crash-before')
      await examined(t, true).catch(() => undefined)
      t.world.disk.crash()
      await examined(t, true)
      t.world.disk.crash()
      await t.start()
      await checkRows(t, places, hits, context)
    }
  })
})
