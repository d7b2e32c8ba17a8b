import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { RE2JS } from 're2js'
import type { LineFilterNode } from '#/logs/logql/ast/stage-nodes.ts'
import { enableLinearRegex } from '#/platform/regex/linear.ts'
import { compilePageFilter } from './line-filter.ts'
import { pageOf } from './page-fixture.ts'
import { testSeed } from '#/kernel/fixture/test-seed.ts'

enableLinearRegex()

const piece = fc.constantFrom(
  'a',
  'b',
  'ab',
  'ba',
  'x',
  ' ',
  '5',
  '50',
  'é',
  'É',
  '\u{1f600}',
  '\n',
  'A',
  'K',
  'k',
  's',
  'S',
  '\u017f',
  '\u212a',
  'æ',
  'Æ',
)
const line = fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join(''))
const page = fc.array(line, { maxLength: 40 })
const needle = fc.array(piece, { maxLength: 3 }).map((pieces) => pieces.join(''))
const regex = fc.constantFrom(
  ...String.raw`a ab|ba (?i)ab (?i)é a.b a.*b ^a b$ ^$ . .+ [ab]x \d+ \d\d (?i)k (?i)s (?i)ks (?i)abs|sk (?i)æ|ab (?i)aba (?i)a.k (?i)(?:ab|xx).(?:sk|5) ab. .ab \bab\b [^a] [^a]b`.split(
    ' ',
  ),
  ...String.raw`(?:ab)+x a{2} x? (?s)a.b (?m)^b \s (?:a|ab)(?:x|bx)`.split(' '),
)
/** Which rows an earlier filter left: from few to all. */
const kept = fc.tuple(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 0, max: 11 }))

function select(
  node: Omit<LineFilterNode, 'kind' | 'at'>,
  lines: readonly string[],
  chosen: readonly number[],
): number[] {
  const { lines: bytes, lineStart } = pageOf(lines)
  const rows = Uint32Array.from(chosen)
  const filter = compilePageFilter({ ...node, kind: 'line_filter', at: { start: 0, end: 0 } })
  return [...rows.subarray(0, filter.select(bytes, lineStart, rows, rows.length))]
}

const operand = (value: string): LineFilterNode['operands'][number] => ({ kind: 'text', value, raw: false })
const chosenRows = (lines: readonly string[], [every, offset]: readonly [number, number]): number[] =>
  lines.flatMap((_, row) => ((row + offset) % every === 0 ? [row] : []))

test(`needles: the page as a whole answers as line by line (seed ${testSeed})`, () => {
  fc.assert(
    fc.property(
      page,
      fc.array(needle, { minLength: 1, maxLength: 3 }),
      kept,
      fc.boolean(),
      (lines, texts, every, negative) => {
        const chosen = chosenRows(lines, every)
        const expected = chosen.filter((row) => texts.some((text) => lines[row]!.includes(text)) !== negative)
        assert.deepEqual(select({ op: negative ? '!=' : '|=', operands: texts.map(operand) }, lines, chosen), expected)
      },
    ),
    { seed: testSeed, numRuns: 1000 },
  )
})

test(`expressions: the page as a whole answers as line by line (seed ${testSeed})`, () => {
  fc.assert(
    fc.property(
      page,
      fc.array(regex, { minLength: 1, maxLength: 2 }),
      kept,
      fc.boolean(),
      (lines, patterns, every, negative) => {
        const chosen = chosenRows(lines, every)
        const compiled = patterns.map((pattern) => RE2JS.compile(pattern))
        const expected = chosen.filter((row) => compiled.some((one) => one.test(lines[row]!)) !== negative)
        assert.deepEqual(
          select({ op: negative ? '!~' : '|~', operands: patterns.map(operand) }, lines, chosen),
          expected,
        )
      },
    ),
    { seed: testSeed, numRuns: 1000 },
  )
})

test(`any case: the page as a whole answers as RE2 does line by line (seed ${testSeed})`, () => {
  fc.assert(
    fc.property(page, needle, kept, fc.boolean(), (lines, text, every, negative) => {
      const chosen = chosenRows(lines, every)
      const re2 = RE2JS.compile(`(?i)${RE2JS.quote(text)}`)
      const expected = chosen.filter((row) => re2.test(lines[row]!) !== negative)
      const node = { op: negative ? '!=' : '|=', ignoreCase: true, operands: [operand(text)] } as const
      assert.deepEqual(select(node, lines, chosen), expected)
    }),
    { seed: testSeed, numRuns: 1000 },
  )
})
