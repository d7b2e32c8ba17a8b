import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { LogPage } from '#/logs/store/log-page.ts'
import { selectRows } from './select-rows.ts'

const row = fc.record({
  stream: fc.integer({ min: 0, max: 3 }),
  time: fc.integer({ min: 0, max: 20 }),
  isDropped: fc.boolean(),
})

test('selects what filtering row by row selects', () => {
  const selection = fc.record({
    streams: fc.option(fc.array(fc.constantFrom(0, 1), { minLength: 4, maxLength: 4 }), { nil: undefined }),
    from: fc.integer({ min: 0, max: 20 }),
    to: fc.integer({ min: 0, max: 21 }),
    hasMask: fc.boolean(),
    hasRuns: fc.boolean(),
  })
  fc.assert(
    fc.property(fc.array(row, { maxLength: 40 }), selection, (rows, { streams, from, to, hasMask, hasRuns }) => {
      const runs = rows
        .map(({ stream }, i) => ({ stream, end: i + 1 }))
        .filter(({ stream, end }) => rows[end]?.stream !== stream)
      const page = {
        rowCount: rows.length,
        stream: Uint32Array.from(rows, (one) => one.stream),
        streamRuns: hasRuns
          ? { values: Uint32Array.from(runs, (run) => run.stream), ends: Uint32Array.from(runs, (run) => run.end) }
          : undefined,
        time: Float64Array.from(rows, (one) => one.time),
      }
      const mask = new Uint8Array(8)
      for (const [i, { isDropped }] of rows.entries()) if (isDropped) mask[i >> 3]! |= 1 << (i & 7)
      const expected = rows.flatMap(({ stream, time, isDropped }, i) =>
        time >= from && time < to && (streams?.[stream] ?? 1) === 1 && !(hasMask && isDropped) ? [i] : [],
      )
      const isInside = rows.every(({ time }) => time >= from && time < to)
      for (const known of isInside ? [false, true] : [false]) {
        const target = new Uint32Array(rows.length)
        const flags = streams && Uint8Array.from(streams)
        const count = selectRows(
          page as unknown as LogPage,
          { streams: flags, from, to, isInside: known, dropped: hasMask ? mask : undefined },
          target,
        )
        assert.deepEqual([...target.subarray(0, count)], expected)
      }
    }),
  )
})
