/** Random batches into a tenant's heads, against a plain set of rows. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import fc from 'fast-check'

import { unpooledMemory } from './page-memory.ts'
import { TenantHeads } from './tenant-heads.ts'
import { absoluteNs } from '#/logs/model/day.ts'
import { openHeadPage } from '#/logs/store/head-page.ts'
import { buildEntryBatch, type PlainEntry } from '#/logs/wire/entry-batch-builder.ts'
import { compactBatch } from '#/logs/wire/entry-batch-codec.ts'
import type { HeadSnapshot } from '#/logs/wire/head-view.ts'
import { testSeed } from '#/kernel/fixture/test-seed.ts'

const seeded = { seed: testSeed, numRuns: 150 }
const startNs = 20_000n * 86_400_000_000_000n

// few distinct values, so that equal times, equal lines and whole duplicates are common
const entry = fc.record({
  stream: fc.constantFrom('{a="1"}', '{a="2"}', '{b="1"}'),
  timeNs: fc.oneof(
    fc.integer({ min: 0, max: 6 }).map((ns) => startNs + BigInt(ns)),
    fc.integer({ min: -2, max: 2 }).map((days) => startNs + BigInt(days) * 86_400_000_000_000n),
  ),
  line: fc.oneof(fc.constantFrom('', 'x', 'y', 'long'.repeat(30)), fc.string({ maxLength: 3 })),
  metadata: fc.dictionary(fc.constantFrom('k', 'l', 'm'), fc.constantFrom('', 'v', 'w'.repeat(150)), { maxKeys: 2 }),
})
const batches = fc.array(fc.array(entry, { maxLength: 60 }), { maxLength: 6 })

const ordered = (metadata: Readonly<Record<string, string>>): [string, string][] =>
  Object.entries(metadata).toSorted(([a], [b]) => (a < b ? -1 : 1))

const keyOf = ({ stream, timeNs, line, metadata }: PlainEntry): string =>
  JSON.stringify([stream, String(timeNs), String(line), ordered(metadata ?? {})])

function rowsOf(heads: readonly HeadSnapshot[]): string[] {
  return heads.flatMap(({ pages, day, streams }) =>
    pages.map(openHeadPage).flatMap((page) =>
      Array.from({ length: page.rowCount }, (_, row) => {
        const found = page.metaNames.map((name) => [name, page.meta(name)!.valueOf(row)])
        const metadata = Object.fromEntries(found.filter(([, value]) => value !== undefined))
        const line = page.lines.toString('utf8', page.lineStart[row], page.lineStart[row + 1])
        return keyOf({
          stream: streams.text(page.stream[row]!),
          timeNs: absoluteNs(day, page.time[row]!),
          line,
          metadata,
        })
      }),
    ),
  )
}

describe(`heads of a tenant (seed ${testSeed})`, () => {
  it('hold each distinct row once, whatever the order and the batches', () => {
    fc.assert(
      fc.property(batches, (all) => {
        const heads = new TenantHeads('a', unpooledMemory)
        const expected = new Set<string>()
        let sequence = 0
        for (const entries of all) {
          const duplicates = heads.append(compactBatch(buildEntryBatch(withOrderedNames(entries))), ++sequence, 0)
          const repeated = entries.flatMap((one, row) => {
            const isKnown = expected.has(keyOf(one))
            expected.add(keyOf(one))
            return isKnown ? [row] : []
          })
          assert.deepEqual(duplicates, repeated)
        }
        assert.deepEqual(rowsOf(heads.snapshots(-Infinity, Infinity).heads).toSorted(), [...expected].toSorted())
        assert.equal(heads.rowCount, expected.size)
      }),
      seeded,
    )
  })

  it('leave a snapshot as it was while rows come behind it', () => {
    fc.assert(
      fc.property(batches, (all) => {
        const heads = new TenantHeads('a', unpooledMemory)
        const taken: { readonly snapshots: HeadSnapshot[]; readonly rows: string[] }[] = []
        for (const [index, entries] of all.entries()) {
          heads.append(compactBatch(buildEntryBatch(withOrderedNames(entries))), index + 1, 0)
          const snapshots = heads.snapshots(-Infinity, Infinity).heads
          taken.push({ snapshots, rows: rowsOf(snapshots) })
        }
        for (const { snapshots, rows } of taken) assert.deepEqual(rowsOf(snapshots), rows)
      }),
      seeded,
    )
  })
})

/** A sender gives the names of a row in the same order each time; else equal rows would differ in bytes. */
function withOrderedNames(entries: readonly PlainEntry[]): PlainEntry[] {
  return entries.map((one) => ({ ...one, metadata: Object.fromEntries(ordered(one.metadata ?? {})) }))
}
