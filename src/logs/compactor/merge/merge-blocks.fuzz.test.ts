import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { blocksArbitrary, type BlockRows, MergeFixture, rowsOnce } from './fixture/merge-fixture.ts'

/** Small slices and outputs, so that few rows are cut everywhere. */
const limitsArbitrary = fc.record({
  outputBytes: fc.constantFrom(1, 100, 400, 1e9),
  outputStoredBytes: fc.constantFrom(1, 1e9),
  sliceBytes: fc.constantFrom(1, 60, 300, 1e9),
  sliceRows: fc.constantFrom(1, 7, 1e9),
})

test('merged blocks hold every row of their inputs once, in order, whatever is cut where', async () => {
  await fc.assert(
    fc.asyncProperty(
      blocksArbitrary,
      limitsArbitrary,
      fc.integer({ min: 1, max: 40 }),
      async (blocks, limits, pageRows) => {
        const fixture = await MergeFixture.with(blocks, pageRows)
        const result = await fixture.merge({ limits, pageRows })
        const expected = rowsOnce(blocks)
        const found: string[] = []
        for (const meta of result.outputs) found.push(...(await fixture.rowsOf(meta)))
        assert.deepEqual(found, expected, 'rows of all outputs, one behind the other')
        assert.equal(result.duplicates, total(blocks) - expected.length)
        await fixture.checkIndexes(result.outputs)
        assert.deepEqual(
          fixture.catalog
            .list('a', -10, 10)
            .map(({ key }) => key)
            .sort(),
          result.outputs.map(({ key }) => key).sort(),
        )
        assert.equal(fixture.budget.usedBytes, 0)
      },
    ),
    { numRuns: 50 },
  )
})

test('a merge of merged blocks gives the rows of one merge of all', async () => {
  await fc.assert(
    fc.asyncProperty(blocksArbitrary, async (blocks) => {
      const fixture = await MergeFixture.with(blocks, 20)
      const limits = { outputBytes: 300, outputStoredBytes: 1e9, sliceBytes: 200, sliceRows: 50 }
      const half = Math.ceil(fixture.metas.length / 2)
      await fixture.merge({ limits, inputs: fixture.metas.slice(0, half) })
      if (half < fixture.metas.length) await fixture.merge({ limits, inputs: fixture.metas.slice(half) })
      const last = await fixture.merge({ limits, inputs: fixture.catalog.list('a', -10, 10) })
      const found: string[] = []
      for (const meta of last.outputs) found.push(...(await fixture.rowsOf(meta)))
      assert.deepEqual(found.sort(), rowsOnce(blocks).sort())
    }),
    { numRuns: 15 },
  )
})

test('what covers WAL records still does when day files are lost', async () => {
  await fc.assert(
    fc.asyncProperty(blocksArbitrary, async (blocks) => {
      const fixture = await MergeFixture.with(blocks, 20)
      const before = ['one', 'two'].map((ingester) => fixture.catalog.flushedSequence(ingester, 'a', -3))
      const result = await fixture.merge({})
      await fixture.restart({ losesDayFiles: true, deletes: result.inputs })
      const after = ['one', 'two'].map((ingester) => fixture.catalog.flushedSequence(ingester, 'a', -3))
      assert.deepEqual(after, before)
    }),
    { numRuns: 12 },
  )
})

test('rows that are ordered to go are gone, and no others', async () => {
  await fc.assert(
    fc.asyncProperty(
      blocksArbitrary,
      fc.constantFrom('app', 'pod', 'zone'),
      fc.boolean(),
      async (blocks, name, byLine) => {
        const fixture = await MergeFixture.with(blocks, 15)
        const limits = { outputBytes: 200, outputStoredBytes: 1e9, sliceBytes: 100, sliceRows: 20 }
        const result = await fixture.merge({ limits, erases: { name, byLine } })
        const goes = ({ labels, line }: BlockRows['rows'][number]): boolean =>
          labels.some(([one]) => one === name) && (!byLine || line.length % 2 === 0)
        const kept = blocks.map((block) => ({ ...block, rows: block.rows.filter((row) => !goes(row)) }))
        const found: string[] = []
        for (const meta of result.outputs) found.push(...(await fixture.rowsOf(meta)))
        assert.deepEqual(found, rowsOnce(kept))
        await fixture.checkIndexes(result.outputs)
        assert.equal(result.erased[0]!.rows, total(blocks) - total(kept))
      },
    ),
    { numRuns: 30 },
  )
})

function total(blocks: readonly BlockRows[]): number {
  return blocks.reduce((sum, { rows }) => sum + rows.length, 0)
}
