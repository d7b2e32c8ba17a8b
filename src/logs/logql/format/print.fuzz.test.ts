import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { parseExpr } from '#/logs/logql/parser/parse-expr.ts'
import * as arbitrary from '#/logs/logql/testdata/expr-arbitrary.ts'
import { spell } from '#/logs/logql/testdata/spelling.ts'
import { formatExpr } from './format-query.ts'
import { printExpr } from './print.ts'
import { testSeed } from '#/kernel/fixture/test-seed.ts'
const options = { seed: testSeed, numRuns: Number(process.env['FUZZ_RUNS'] ?? 400) }

test(`every tree is what its canonical text parses to (seed ${testSeed})`, () => {
  fc.assert(
    fc.property(arbitrary.expr, (expr) => {
      const text = printExpr(expr)
      const parsed = parseExpr(text)
      assert.deepEqual(arbitrary.withoutPlaces(parsed), arbitrary.withoutPlaces(expr), text)
      assert.equal(printExpr(parsed), text)
    }),
    options,
  )
})

test(`the broken form means the same as the canonical one (seed ${testSeed})`, () => {
  fc.assert(
    fc.property(arbitrary.expr, (expr) => {
      const pretty = formatExpr(expr)
      const parsed = parseExpr(pretty)
      assert.deepEqual(arbitrary.withoutPlaces(parsed), arbitrary.withoutPlaces(expr), pretty)
      assert.equal(formatExpr(parsed), pretty)
    }),
    options,
  )
})

test(`places of a parsed query lie in its text, those of parts in those of the whole (seed ${testSeed})`, () => {
  fc.assert(
    fc.property(arbitrary.expr, (expr) => {
      const text = printExpr(expr)
      checkPlaces(parseExpr(text), 0, text.length)
    }),
    { ...options, numRuns: Math.ceil(options.numRuns / 4) },
  )
})

function checkPlaces(node: unknown, start: number, end: number): void {
  if (typeof node !== 'object' || node === null) return
  const at = Array.isArray(node) ? undefined : (node as { at?: { start: number; end: number } }).at
  if (at) {
    assert.ok(start <= at.start && at.start < at.end && at.end <= end, `${at.start}..${at.end} in ${start}..${end}`)
  }
  for (const [key, part] of Object.entries(node))
    if (key !== 'at') checkPlaces(part, at?.start ?? start, at?.end ?? end)
}

test(`however a tree is written, it parses to that tree (seed ${testSeed})`, () => {
  fc.assert(
    fc.property(arbitrary.expr, fc.infiniteStream(fc.nat({ max: 59 })), (expr, choices) => {
      const text = spell(expr, (count) => choices.next().value % count)
      assert.deepEqual(arbitrary.withoutPlaces(parseExpr(text)), arbitrary.withoutPlaces(expr), text)
    }),
    { ...options, numRuns: options.numRuns * 2 },
  )
})
