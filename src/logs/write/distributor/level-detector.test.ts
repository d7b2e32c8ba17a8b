import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { limits } from '#/logs/limits.ts'
import { LevelDetector } from './level-detector.ts'
import { levelNames, levelOfSeverityNumber, normalizeLevel } from './levels.ts'

const fields = limits.log_level_fields.default

function detect(line: string, options: { readonly fields?: readonly string[]; readonly depth?: number } = {}): string {
  const detector = new LevelDetector(options.fields ?? fields, options.depth ?? 2)
  // the line stands in the middle of other bytes that must not be looked at
  const bytes = Buffer.from(`error "level":"fatal"${line}level=fatal error`)
  const start = 'error "level":"fatal"'.length
  return levelNames[detector.detect(bytes, start, start + Buffer.byteLength(line))] ?? 'none'
}

test('JSON lines', () => {
  const table: readonly (readonly [string, string])[] = [
    ['{"level":"info","msg":"an error"}', 'info'],
    ['{"ts":1,"Level" : "WARN"}', 'warn'],
    ['  {"severity":"Error"}  \n', 'error'],
    ['{"msg":"level","lvl":"dbg"}', 'debug'],
    ['{"a":{"level":"trace"},"level":"info"}', 'trace'],
    ['{"a":{"b":{"level":"trace"}},"level":"info"}', 'info'],
    ['{"a":[{"level":"trace"}],"level":"info"}', 'info'],
    ['{"a":"x\\"level\\":\\"fatal","level":"info"}', 'info'],
    ['{"a":{"x":"}"},"b":[1,"]",{"c":2}],"c":true,"d":null,"severity_text":"critical"}', 'critical'],
    ['{"LeVeL":"dbg"}', 'unknown'],
    ['{"level":30,"msg":"fatal crash"}', 'fatal'],
    ['{"level":"banana","msg":"warn me"}', 'warn'],
    ['{"level":"banana"}', 'unknown'],
    ['{"log.level":"info"}', 'info'],
    ['{"level":"dbg"', 'unknown'],
    ['{"level', 'unknown'],
    ['{', 'unknown'],
    ['{}', 'unknown'],
    ['{"level"}', 'unknown'],
    ['{"level":}', 'unknown'],
    ['{"a":1}}}}{"level":"dbg"}', 'unknown'],
    [`${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`, 'unknown'],
    [`${'['.repeat(10_000)}`, 'unknown'],
  ]
  for (const [line, level] of table) assert.equal(detect(line), level, line.slice(0, 80))
})

test('the depth of JSON is a setting', () => {
  const line = '{"a":{"b":{"level":"dbg"}}}'
  assert.equal(detect(line, { depth: 2 }), 'unknown')
  assert.equal(detect(line, { depth: 3 }), 'debug')
  assert.equal(detect('{"a":{"level":"dbg"}}', { depth: 1 }), 'unknown')
})

test('logfmt lines', () => {
  const table: readonly (readonly [string, string])[] = [
    ['level=info msg="an error"', 'info'],
    ['ts=1 LEVEL="Warning" x', 'warn'],
    ['msg="level=error" lvl=dbg', 'debug'],
    ['lvl=debug level=error', 'error'],
    ['level=error lvl=debug', 'error'],
    ['severity=info lvl=debug', 'info'],
    ['level=banana fatal', 'fatal'],
    ['mylevel=info', 'info'],
    ['level info', 'info'],
    ['a="unterminated level=debug', 'debug'],
    ['GET "x" level=debug', 'debug'],
    ['level=', 'unknown'],
    ['level="" error', 'error'],
    ['msg="quoted \\" level=debug" level=warn', 'warn'],
  ]
  for (const [line, level] of table) assert.equal(detect(line), level, line)
})

test('words in other lines', () => {
  const table: readonly (readonly [string, string])[] = [
    ['', 'unknown'],
    ['   ', 'unknown'],
    ['nothing to see', 'unknown'],
    ['2026-01-01 INFO start', 'info'],
    ['[ERROR] no', 'error'],
    ['(err) no', 'error'],
    ['<err> no', 'unknown'],
    ['errors happen', 'unknown'],
    ['terror', 'unknown'],
    ['error.', 'unknown'],
    ['error: x', 'error'],
    ['x|warn|y', 'warn'],
    ['Warning!', 'warn'],
    ['warned warn', 'warn'],
    ['info and error', 'info'],
    ['CRITICAL,', 'critical'],
    ['critically fatal', 'fatal'],
    ["'debug'", 'debug'],
    ['trace', 'trace'],
    ['ends with err', 'error'],
    ['inf', 'unknown'],
  ]
  for (const [line, level] of table) assert.equal(detect(line), level, line)
})

test('other fields, also long and strange ones', () => {
  const long = 'x'.repeat(40)
  assert.equal(detect(`{"${long}":"dbg"}`, { fields: [long] }), 'debug')
  assert.equal(detect(`${long}=dbg`, { fields: [long] }), 'debug')
  assert.equal(detect(`{"${long}y":"dbg"}`, { fields: [long, ''] }), 'unknown')
  assert.equal(detect('{"größe":"dbg"}', { fields: ['größe'] }), 'debug')
  assert.equal(detect('level=dbg', { fields: [] }), 'unknown')
})

test('values in known places', () => {
  for (const [value, level] of [
    ['WRN', 'warn'],
    ['information', 'info'],
    ['Notice', 'Notice'],
    ['', ''],
  ] as const) {
    assert.equal(normalizeLevel(value), level)
  }
  const numbers = ['-1', '0', '1', '4', '5', '8', '9', '12', '13', '16', '17', '20', '21', '24', '25', 'x', '']
  const levels = numbers.map(levelOfSeverityNumber).join(' ')
  assert.equal(
    levels,
    'unknown unknown trace trace debug debug info info warn warn error error fatal fatal unknown info info',
  )
})

/** The rules once more, with strings and regular expressions. */
function naiveWords(line: string): string {
  const pattern =
    /(?<=^|[ \t\n[({"'=|])(trace|debug|fatal|critical|error|err|warning|warn|info)(?=$|[ \t\n[\](){}:,!"'=|])/i
  const word = pattern.exec(line.trim())?.[1]
  return word === undefined ? 'unknown' : normalizeLevel(word)
}

test('agrees with a naive search on random lines', () => {
  const piece = fc.constantFrom('error', 'ERR', 'warn', 'ing', 'info', 'x', ' ', '"', '[', ']', ':', '.', '|', 'é')
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const line = pieces.join('')
      assert.equal(detect(line), naiveWords(line), line)
    }),
    { numRuns: 2000 },
  )
})

test('JSON documents agree with a search in the parsed document', () => {
  const leaf = fc.oneof(fc.constantFrom('info', 'error', 'x{"', 'a\\'), fc.integer(), fc.boolean(), fc.constant(null))
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof({ depthSize: 'small' }, leaf, fc.array(tie('tree'), { maxLength: 3 }), tie('object')),
    object: fc.dictionary(fc.constantFrom('a', 'b', 'level', 'lvl'), tie('tree'), {
      maxKeys: 3,
      noNullPrototype: true,
    }),
  }))
  const find = (value: unknown, depth: number): string | undefined => {
    for (const [key, child] of Object.entries(value as object)) {
      if (typeof child === 'string' && (key === 'level' || key === 'lvl')) return child
      const isObject = typeof child === 'object' && child !== null && !Array.isArray(child)
      const found = isObject && depth < 2 ? find(child, depth + 1) : undefined
      if (found !== undefined) return found
    }
    return undefined
  }
  fc.assert(
    fc.property(
      fc.dictionary(fc.constantFrom('a', 'b', 'level'), tree, { maxKeys: 3, noNullPrototype: true }),
      (document) => {
        const line = JSON.stringify(document)
        const found = find(document, 1)
        const expected = found === 'info' || found === 'error' ? found : naiveWords(line)
        assert.equal(detect(line), expected, line)
      },
    ),
    { numRuns: 1000 },
  )
})
