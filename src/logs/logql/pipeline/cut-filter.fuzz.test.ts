import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { RE2JS } from 're2js'
import type { LineFilterNode } from '#/logs/logql/ast/stage-nodes.ts'
import { testSeed } from '#/kernel/fixture/test-seed.ts'
import { enableLinearRegex } from '#/platform/regex/linear.ts'
import { encodeLineSlots } from '#/storage/column/line-slots.ts'
import { decodeCutTexts } from '#/storage/column/line-texts.ts'
import { ScratchBuffers } from '#/storage/column/scratch-buffers.ts'
import { selectByText } from './cut-filter.ts'
import { compilePageFilter } from './line-filter.ts'

enableLinearRegex()

const origin = { file: 'f', offset: 0 }

/** What is cut out of lines, and what stands next to it. */
const piece = fc.oneof(
  fc.constantFrom(
    'dead',
    'DEAD',
    'line',
    'deadline',
    'Deadline',
    'feed',
    'k',
    'K',
    's',
    'task',
    'task_',
    'tas\u212a',
    'TA\u017fk_',
    'x',
    '_',
    'one',
    'ef',
  ),
  fc.constantFrom(' ', '=', ':', '.', ',', '"', '-', 'µ', 'é', '\u017f', '\u212a', '\0', '\u0001', '\u0008'),
  fc.constantFrom(
    '0',
    '7',
    '12',
    '503',
    '007',
    '1dead2',
    'dead7',
    '7dead',
    'f00d',
    'a1b2c3d4e5f6a7b8',
    '00:00:01',
    '00:00:01.000',
  ),
  fc.nat(9999).map(String),
)
const line = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(''))
/** Lines that repeat, so that cutting pays. */
const page = fc
  .array(line, { minLength: 1, maxLength: 12 })
  .map((lines) => Array.from({ length: 30 }, () => lines).flat())

const needle = fc.array(piece, { minLength: 1, maxLength: 3 }).map((pieces) => pieces.join(''))
const regex = fc.constantFrom(
  ...String.raw`dead[a-z]+ne dead|line [a-f]+ (?i)dead (?i)deadline (?i)task (?i:task)x*_ (?i)line|feed dead.*line task\d+ =\d+ x[a-z]*s (?:dead|feed)(?:line|s) \bdead\b ^dead line$ [^a]line (?i)=dead (?i)x=7 dead\d ef+x [a-z_]+ead =50[03] [a-z]{3}k (?i)[a-z]ine l.ne :\d\d: (?i)sk feed[_x]? k=?7`.split(
    ' ',
  ),
)

const filter = fc.oneof(
  fc.record({ op: fc.constantFrom('|=', '!='), value: needle, ignoreCase: fc.boolean() }),
  fc.record({ op: fc.constantFrom('|~', '!~'), value: regex, ignoreCase: fc.constant(false) }),
  fc.record({ op: fc.constant('|>'), value: needle.map((text) => `<_>${text}<_>`), ignoreCase: fc.constant(false) }),
)

function rowsMatching(lines: readonly string[], pattern: string): number[] {
  const regex = RE2JS.compile(pattern)
  return lines.flatMap((text, row) => (regex.test(text) ? [row] : []))
}

test(`the short form of lines answers as the lines do, or leaves more rows (seed ${testSeed})`, () => {
  const told = { decided: 0, narrowed: 0 }
  fc.assert(
    fc.property(page, fc.array(filter, { minLength: 1, maxLength: 20 }), (texts, filters) => {
      const lines = texts.map((text) => Buffer.from(text))
      const lengths = Uint32Array.from(lines, ({ length }) => length)
      const bytes = Buffer.concat(lines)
      const times = new Float64Array(lengths.length).fill(1e9)
      const column = encodeLineSlots({ lines: bytes, lengths, times, values: [] })
      if (column === undefined) return
      const { texts: cut } = decodeCutTexts(column, lengths.length, origin, new ScratchBuffers(0))
      const lineStart = new Uint32Array(lengths.length + 1)
      for (const [i, length] of lengths.entries()) lineStart[i + 1] = lineStart[i]! + length
      for (const { op, value, ignoreCase } of filters) {
        const operands = [{ kind: 'text', value, raw: false }] as const
        const at = { start: 0, end: 0 }
        const node = {
          kind: 'line_filter',
          op: op as LineFilterNode['op'],
          operands,
          at,
          ...(ignoreCase ? { ignoreCase } : {}),
        }
        const made = compilePageFilter(node as LineFilterNode)
        const rows = Uint32Array.from(lengths.keys())
        const expected = [...rows.subarray(0, made.select(bytes, lineStart, rows, rows.length))]
        if (op === '|~') assert.deepEqual(expected, rowsMatching(texts, value), value)
        const onCut = made.worksOnCutLines ? made : made.onCutLines
        if (onCut === undefined) continue
        const left = Uint32Array.from(lengths.keys())
        const found = [...left.subarray(0, selectByText(onCut, cut, left, left.length))]
        const name = `${op} ${JSON.stringify(value)}`
        if (made.worksOnCutLines) assert.deepEqual(found, expected, name)
        else assert.ok(new Set(found).isSupersetOf(new Set(expected)), name)
        assert.ok(expected.length === 0 || onCut.mayPass(cut.text), name)
        told[made.worksOnCutLines ? 'decided' : 'narrowed']++
      }
    }),
    { seed: testSeed, numRuns: 500 },
  )
  assert.ok(told.decided > 200 && told.narrowed > 200, JSON.stringify(told))
})
