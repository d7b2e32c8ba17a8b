/** Every pattern is valid for `|>` and matches every line that was counted for it, whatever the bytes; the same lines give the same. */
import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { minerLimits, PatternMiner, type MinedPatterns } from './pattern-miner.ts'
import { compileLinePattern, matchesLinePattern } from '#/logs/logql/pipeline/line-pattern.ts'
import { lineFilterPatternProblem } from '#/logs/logql/stages/line-pattern.ts'

/** Each line in a stream of its own, so that it is known which pattern it was counted for. */
function mine(lines: readonly Buffer[], limits = minerLimits): MinedPatterns {
  const miner = new PatternMiner(10e9, limits)
  lines.forEach((line, stream) => miner.add(line, 0, line.length, { stream, level: 0, time: 0, lines: 1 }))
  return miner.finish()
}

const word = fc.constantFrom(
  'order',
  'placed',
  'user',
  'für',
  'a',
  '->',
  'x,',
  'done.',
  '...',
  '1,',
  '12',
  '3.5ms',
  'id7:',
  '::1',
  '<b>',
  '<_>',
  '`x`',
  'k=v',
  'n=',
  '=',
  '==',
  'msg="a b"',
  'msg="say \\"hi\\" x"',
  'err="x',
  'level=info',
  'lvl="warn"',
  'p="\\"q\\""',
  'e=""',
  '{"a":1}',
  '{"msg":"it \\"is\\" 5"',
  '[1,2]',
  '"',
  "'",
  '\\',
  '\t',
  '\n',
  '(x)',
  '[y',
  '}',
  ';',
  '\u001b[31m',
  '日本',
)
const value = fc.oneof(
  fc.string(),
  fc.integer(),
  fc.boolean(),
  fc.constant(null),
  fc.array(fc.oneof(fc.string(), fc.integer()), { maxLength: 4 }),
  fc.dictionary(fc.string(), fc.string(), { maxKeys: 2 }),
)
const names = fc.constantFrom('msg', 'message', 'level', 'a', 'ts', 'b<c', 'ü', 'x y', '"', 'err')
const line = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.array(word, { minLength: 1, maxLength: 12 }).map((words) => Buffer.from(words.join(' '))),
  },
  { weight: 2, arbitrary: fc.array(word, { minLength: 1, maxLength: 12 }).map((words) => Buffer.from(words.join(''))) },
  {
    weight: 3,
    arbitrary: fc.dictionary(names, value, { maxKeys: 5 }).map((object) => Buffer.from(JSON.stringify(object))),
  },
  {
    weight: 1,
    arbitrary: fc.dictionary(names, value).map((object) => Buffer.from(JSON.stringify(object, null, 1).slice(0, -3))),
  },
  { weight: 1, arbitrary: fc.uint8Array({ minLength: 1, maxLength: 40 }).map((bytes) => Buffer.from(bytes)) },
)

test('every pattern matches every line that it was counted for', () => {
  fc.assert(
    fc.property(fc.array(line, { minLength: 1, maxLength: 60 }), (lines) => {
      const { texts, counts, uncounted } = mine(lines)
      assert.equal(uncounted, lines.filter(({ length }) => length === 0).length)
      const compiled = texts.map((text) => {
        assert.equal(lineFilterPatternProblem(text), undefined, text)
        return compileLinePattern(text)
      })
      for (const [series, stream] of counts.stream.entries()) {
        const own = lines[stream]!
        const text = counts.text[series]!
        assert.ok(
          matchesLinePattern(compiled[text]!, own, 0, own.length),
          `${JSON.stringify(texts[text])} does not match ${JSON.stringify(own.toString('latin1'))}`,
        )
      }
    }),
    { numRuns: 2000 },
  )
})

test('lines with more tokens than are looked at keep the rule', () => {
  for (const tail of ['', ' ', ' 7', ' x=1', '"', '.', ': ']) {
    for (const count of [100, 190, 191, 192, 193, 194, 400]) {
      for (const words of ['w ', 'k=v ', 'n5, ', '"a":1,']) {
        const text = Buffer.from((words.startsWith('"') ? '{' : '') + words.repeat(count) + tail)
        const { texts, uncounted } = mine([text])
        assert.equal(uncounted, 0)
        assert.ok(
          matchesLinePattern(compileLinePattern(texts[0]!), text, 0, text.length),
          `${count} of ${words}${tail}`,
        )
      }
    }
  }
})

test('limits are kept, and what is beyond them is uncounted', () => {
  const letters = (i: number): string => String(i).replaceAll(/\d/g, (digit) => 'abcdefghij'[Number(digit)]!)
  // frames that all differ
  const lines = Array.from({ length: 500 }, (_, i) => Buffer.from(`${letters(i)}=1`))
  const few = mine(lines, { ...minerLimits, maxClusters: 20 })
  assert.equal(few.texts.length, 20)
  assert.equal(few.uncounted, 480)
  assert.equal(mine(lines, { ...minerLimits, maxSeries: 7 }).uncounted, 493)
  const spent = mine(lines, { ...minerLimits, freeComparisons: 10, comparisonsPerByte: 0 })
  assert.ok(spent.uncounted > 490)
  assert.equal(mine([Buffer.alloc(3000, 'x'), Buffer.alloc(3001, 'x')]).uncounted, 1)
  const oneStream = new PatternMiner(10e9)
  for (const text of lines) oneStream.add(text, 0, text.length, { stream: 0, level: 0, time: 0, lines: 1 })
  const { counts, uncounted } = oneStream.finish()
  assert.equal(counts.stream.length, 300)
  assert.equal(uncounted, 200)
})
