import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { makeUlid } from '#/kernel/ulid.ts'
import { parseExpr } from '#/logs/logql/parser/parse-expr.ts'
import { makePlainPlan } from '#/logs/logql/planner/make-plan.ts'
import { parseLabels } from '#/logs/model/labels.ts'
import { makeHeadPages, type PlainRow } from '#/logs/store/fixture/head-pages.ts'
import { openLogBlock } from '#/logs/store/open-log-block.ts'
import { writeLogBlock } from '#/logs/store/write-log-block.ts'
import { MemoryStore } from '#/platform/objstore/memory.ts'
import { enableLinearRegex } from '#/platform/regex/linear.ts'
import { realClock } from '#/platform/world/real-clock.ts'
import { keyNames, labelsOfKey } from '#/series/label-keys.ts'
import { labelsKey } from '#/series/labels.ts'
import { shareTexts } from '#/storage/index/shared-texts.ts'
import { emptySketches, isWanted, sketchBucket, sketchBytes, type KeySketch } from './key-sketch.ts'
import { BUCKETS, forEachOfList, forEachTotal, hashOfKey, KeyListWriter } from './keyed-totals.ts'
import { runScanJob } from './run-job.ts'
import { sampleLeaf, type DiffsResult, type SampleTask, type ScanJob } from './scan-job.ts'

enableLinearRegex()

const DAY = 20_000
const SECOND = 1_000_000_000n
const HOUR_NS = 3600e9
const startNs = BigInt(DAY) * 86_400n * SECOND

const streams = ['{app="a"}', '{app="b"}', '{app="a", level="x"}', '{app="a", level="x", level_extracted="y"}']
const row: fc.Arbitrary<PlainRow> = fc
  .record({
    stream: fc.constantFrom(...streams),
    // in two hours, so that a stream may have two runs in a page
    time: fc.oneof(fc.integer({ min: 0, max: 20 }), fc.integer({ min: 3595, max: 3605 })),
    line: fc.string({ maxLength: 4 }),
    meta: fc.dictionary(
      fc.constantFrom('level', 'level_extracted', 'zone', 'id'),
      fc.constantFrom('', 'x', 'y', 'zz'),
      {
        maxKeys: 3,
      },
    ),
    // of as many values as there are rows: their columns have no dictionary
    wide: fc.option(
      fc.record({ kind: fc.constantFrom('plain', 'hex', 'number'), value: fc.oneof(fc.nat(70), fc.nat(9999)) }),
      {
        nil: undefined,
      },
    ),
  })
  .map(({ stream, time, line, meta, wide }) => ({
    labels: parseLabels(stream),
    time: time * 1e9,
    line: Buffer.from(line),
    meta: [...Object.entries(meta), ...(wide === undefined ? [] : [[wide.kind, wideValue(wide)] as const])],
  }))

function wideValue({ kind, value }: { readonly kind: string; readonly value: number }): string {
  if (kind === 'plain') return `u-é${value}`
  return kind === 'hex' ? (value * 7919).toString(16).padStart(8, '0') : String(value - 20)
}

const groupings = [
  'by (app)',
  'by (level)',
  'by (level_extracted)',
  'by (app, zone, level)',
  'by (none)',
  'by (zone)',
  'without (id)',
  'by (plain)',
  'by (hex, level)',
  'by (number, app, plain)',
]
const question = fc.record({
  grouping: fc.constantFrom(...groupings),
  op: fc.constantFrom('count_over_time', 'bytes_over_time', 'rate'),
  rangeSeconds: fc.constantFrom(1n, 3n, 7n, 7200n),
  stepSeconds: fc.constantFrom(1n, 3n, 5n, 3600n),
  stepCount: fc.integer({ min: 1, max: 30 }),
  startSeconds: fc.integer({ min: -5, max: 3610 }),
  from: fc.constantFrom(0, 5e9, 12e9),
  to: fc.constantFrom(10e9, 3600e9, 2 * HOUR_NS),
  filter: fc.constantFrom(
    '',
    '',
    '| level="x"',
    '| level!="x"',
    '| zone=~"x|", level!~"z.*"',
    '| level_extracted="x"',
    '| hex="0001bdf2"',
    '| plain="u-é3", level!="y"',
    '| number="-7"',
  ),
  wanted: fc.option(fc.constantFrom(...streams)),
})

test('metadata of many values is counted without making texts of it', async () => {
  const kinds = ['plain', 'hex', 'number'] as const
  const rows = Array.from({ length: 900 }, (_, i): PlainRow => {
    const kind = kinds[i % 3]!
    const few = i % 100 === 0 ? [['rare', `r${i}`] as const] : []
    const meta = [[kind, wideValue({ kind, value: i % 400 })] as const, ...few]
    return { labels: parseLabels(streams[i % 4]!), time: i * 1e6, line: Buffer.from(`line ${i}`), meta }
  })
  const parts = await partsOf(rows)
  const asked = { op: 'bytes_over_time', rangeSeconds: 7200n, stepSeconds: 1n, stepCount: 1, startSeconds: 10 } as const
  for (const labels of ['plain', 'hex', 'number', 'rare, plain', 'level, number, app']) {
    const question: Question = { ...asked, grouping: `by (${labels})`, from: 0, to: 10e9, filter: '', wanted: null }
    const expected = keyedAnswer(question, parts.block, '| drop nothing_has_this')
    for (const part of [parts.block, parts.head]) {
      assert.deepEqual(keyedAnswer(question, part, ''), expected, labels)
      for (const wanted of [0, 0x5a, 0xff]) checkSketched(question, part, wanted)
      const counting = { ...question, op: 'count_over_time' } as const
      for (const wanted of [0, 0x5a, 0xff]) checkSketched(counting, part, wanted)
    }
    const { series, keyed } = scan(question, parts.block, '', true)
    assert.ok(keyed !== undefined && series.length === 0, labels)
  }
})

test('what columns tell is what rows tell one by one, from blocks and from heads', async () => {
  const property = fc.asyncProperty(
    fc.array(row, { minLength: 1, maxLength: 120 }),
    fc.array(question, { minLength: 1, maxLength: 4 }),
    async (rows, questions) => {
      const parts = await partsOf(rows)
      for (const asked of questions) {
        // behind a stage that may change labels, filters look at rows one by one
        const expected = answer(asked, parts.head, `| drop nothing_has_this ${asked.filter}`)
        assert.deepEqual(answer(asked, parts.head, asked.filter), expected, 'head')
        assert.deepEqual(answer(asked, parts.block, asked.filter), expected, 'block')
        const once = { ...asked, stepCount: 1 }
        if (!asked.grouping.startsWith('by')) continue
        const totals = keyedAnswer(once, parts.head, `| drop nothing_has_this ${asked.filter}`)
        assert.deepEqual(keyedAnswer(once, parts.head, asked.filter), totals, 'keys in head')
        assert.deepEqual(keyedAnswer(once, parts.block, asked.filter), totals, 'keys in block')
        checkSketched(once, parts.head, 0x5a)
        checkSketched(once, parts.block, 0x5a)
      }
    },
  )
  await fc.assert(property, { numRuns: 150 })
})

type Part = Pick<ScanJob['parts'][number], 'labels' | 'pages'> & { readonly flagsOf: (text: string) => Uint8Array }
type Question = typeof question extends fc.Arbitrary<infer Q> ? Q : never

async function partsOf(rows: readonly PlainRow[]): Promise<{ readonly head: Part; readonly block: Part }> {
  const { index, pages } = makeHeadPages(rows, 50)
  const store = new MemoryStore(realClock)
  const ulid = makeUlid(1, Buffer.alloc(10))
  const base = { tenant: 't', day: DAY, level: 0, ulid, source: undefined, minesPatterns: false }
  const { meta, parts } = writeLogBlock({ ...base, labels: index.coded(), texts: shareTexts(index), pages })
  await store.put(meta.key, parts)
  const block = await openLogBlock(store, { key: meta.key })
  const read = await block.readPages([...block.pages.keys()], { lengths: true, lines: true, meta: 'all' }, undefined)
  const facts = { isInside: false, dropped: undefined }
  const flags = (count: number, text: (ordinal: number) => string) => (wanted: string) =>
    Uint8Array.from({ length: count }, (_, ordinal) => Number(text(ordinal) === wanted))
  return {
    head: {
      labels: index.coded(),
      pages: pages.map((columns, order) => ({ data: { kind: 'head', columns }, order, ...facts })),
      flagsOf: flags(index.count, (ordinal) => index.text(ordinal)),
    },
    block: {
      labels: block.streams.coded(),
      pages: read.map((bytes, order) => ({ data: { kind: 'block', bytes }, order, ...facts })),
      flagsOf: flags(block.streams.count, (ordinal) => block.streams.text(ordinal)),
    },
  }
}

function scan(
  asked: Question,
  { labels, pages, flagsOf }: Part,
  stages: string,
  isKeyed: boolean,
  sketch?: KeySketch,
): DiffsResult {
  const { op, grouping, rangeSeconds, stepSeconds, stepCount, startSeconds, from, to, wanted } = asked
  const query = `sum ${grouping} (${op}({app=~".+"} ${stages} [${rangeSeconds}s]))`
  const plan = makePlainPlan(parseExpr(query))
  assert.ok(plan.kind === 'metric')
  const leaf = plan.leaves[0]!
  const window = {
    startNs: startNs + BigInt(startSeconds) * SECOND,
    stepNs: stepSeconds * SECOND,
    stepCount,
    rangeNs: leaf.rangeNs,
  }
  const task: SampleTask = { kind: 'samples', leaf: sampleLeaf(leaf), window, isKeyed, sketch, maxBytes: 2 ** 26 }
  const streamFlags = wanted === null ? undefined : (flagsOf(wanted) as Uint8Array<SharedArrayBuffer>)
  const { stages: rowStages, needed } = leaf
  const job = { kind: 'scan' as const, key: query, stages: rowStages, needed, nowNs: 0n, day: DAY, from, to, task }
  return runScanJob({ ...job, parts: [{ labels, pages, streams: streamFlags }] }, () => undefined) as DiffsResult
}

/** Series in the order of their labels, with their differences and what was counted. */
function answer(asked: Question, part: Part, stages: string): unknown {
  const { series, rowDiffs, valueDiffs, width, firstStep, counts } = scan(asked, part, stages, false)
  const columns = series.map((one, slot) => ({
    key: labelsKey(one),
    rows: [...rowDiffs.subarray(slot * width, (slot + 1) * width)],
    values: valueDiffs && [...valueDiffs.subarray(slot * width, (slot + 1) * width)],
  }))
  const seen = columns.filter(({ rows }) => rows.some((value) => value !== 0))
  return { firstStep, rows: counts.rows, series: seen.toSorted((a, b) => (a.key < b.key ? -1 : 1)) }
}

/** Totals at one step by labels, whichever way they were counted. */
function keyedAnswer(asked: Question, part: Part, stages: string): unknown {
  const { series, rowDiffs, valueDiffs, width, firstStep, counts, keyed } = scan(asked, part, stages, true)
  const totals = new Map<string, number>()
  const add = (key: string, total: number): void => void totals.set(key, (totals.get(key) ?? 0) + total)
  for (const [slot, one] of series.entries()) {
    if (firstStep === 0 && rowDiffs[slot * width] !== 0) add(labelsKey(one), (valueDiffs ?? rowDiffs)[slot * width]!)
  }
  const names = keyNames(/\((.*)\)/.exec(asked.grouping)![1]!.split(', '))
  for (let bucket = 0; keyed !== undefined && bucket < BUCKETS; bucket++) {
    let sum = 0
    forEachTotal(keyed, { bucket, labels: names.length }, (bytes, start, _, total) => {
      add(labelsKey(labelsOfKey(names, bytes.subarray(start))), total)
      sum += total
    })
    assert.equal(keyed.sums[bucket], sum)
  }
  return { rows: counts.rows, totals: [...totals].toSorted(([a], [b]) => (a < b ? -1 : 1)) }
}

/** With a sketch, keys of wanted buckets have their totals, and buckets the sums of theirs. `wantedBits`: of eight buckets in a row. */
function checkSketched(asked: Question, part: Part, wantedBits: number): void {
  const names = keyNames(/\((.*)\)/.exec(asked.grouping)![1]!.split(', '))
  const all = totalsByKey(scan(asked, part, asked.filter, true), names)
  const [sketch] = emptySketches(new SharedArrayBuffer(sketchBytes(1)), 1)
  const { wanted, rows } = sketch!
  wanted.fill(wantedBits)
  const result = scan(asked, part, asked.filter, true, sketch)
  assert.equal(result.keyed, undefined)
  assert.equal(result.isPartial, true)
  const some = totalsByKey(result, names)
  const left = Float64Array.from(rows!)
  for (const [key, total] of some) left[bucketOf(key, names)]! += total
  for (const [key, total] of all) {
    left[bucketOf(key, names)]! -= total
    if (isWanted(wanted, bucketOf(key, names))) assert.equal(some.get(key), total)
  }
  assert.ok(left.every((rest) => rest === 0))
}

function bucketOf(key: string, names: readonly string[]): number {
  return sketchBucket(hashOfKey(Buffer.from(key, 'latin1'), 0, names.length))
}

function totalsByKey(
  { series, rowDiffs, valueDiffs, width, firstStep, keyed, listed }: DiffsResult,
  names: readonly string[],
): Map<string, number> {
  const totals = new Map<string, number>()
  const visit = (bytes: Uint8Array, start: number, end: number, total: number): void => {
    const key = Buffer.from(bytes.subarray(start, end)).toString('latin1')
    totals.set(key, (totals.get(key) ?? 0) + total)
  }
  for (const [slot, labels] of series.entries()) {
    if (firstStep !== 0 || rowDiffs[slot * width] === 0) continue
    const writer = new KeyListWriter(0)
    for (const name of names) {
      const value = labels.find(([other]) => other === name)?.[1]
      if (value === undefined) writer.none()
      else writer.value(Buffer.from(value), 0, Buffer.byteLength(value))
    }
    const key = writer.finish()
    visit(key, 0, key.length, (valueDiffs ?? rowDiffs)[slot * width]!)
  }
  for (const bytes of [keyed?.bytes, listed]) {
    if (bytes !== undefined) forEachOfList(bytes, { start: 0, end: bytes.length, labels: names.length }, visit)
  }
  return totals
}
