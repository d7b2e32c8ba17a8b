import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { BadRequest } from './errors.ts'
import { JsonCursor, maxJsonDepth } from './json-cursor.ts'
import { parseJson } from './parse-json.ts'

function cursorOn(text: string): JsonCursor {
  return new JsonCursor(Buffer.from(text))
}

/** Reads any value with the cursor's own methods, the way a decoder does. */
function read(cursor: JsonCursor): unknown {
  const first = String.fromCharCode(cursor.peek())
  if (first === '"') return cursor.stringText()
  if (first === '[') {
    const list: unknown[] = []
    cursor.open('[')
    while (cursor.nextElement()) list.push(read(cursor))
    return list
  }
  if (first === '{') {
    const members: [string, unknown][] = []
    cursor.open('{')
    while (cursor.nextMember()) members.push([cursor.keyText(), read(cursor)])
    return Object.fromEntries(members)
  }
  return JSON.parse(cursor.rawText())
}

test('reads and skips every JSON document', () => {
  fc.assert(
    fc.property(fc.jsonValue({ stringUnit: 'binary' }), fc.integer({ min: 0, max: 3 }), (value, indent) => {
      const text = JSON.stringify(value, null, indent)
      const cursor = cursorOn(text)
      assert.deepEqual(read(cursor), parseJson(text.toWellFormed()))
      cursor.expectEnd()
      const skipping = cursorOn(text)
      skipping.skipValue()
      skipping.expectEnd()
    }),
  )
})

test('unescapes where the text lies', () => {
  const cursor = cursorOn('"a\\n\\t\\"\\\\\\/\\b\\f\\r\\u00e9\\u20ac\\ud83d\\ude00\\ud800x\\udc00" ')
  cursor.unescapedString()
  assert.equal(cursor.bytes.toString('utf8', cursor.start, cursor.stop), 'a\n\t"\\/\b\f\ré€😀\ufffdx\ufffd')
  cursor.expectEnd()
})

test('bytes that are not UTF-8 stay as they are', () => {
  const cursor = new JsonCursor(Buffer.from([0x22, 0xff, 0x5c, 0x6e, 0xc3, 0x22]))
  cursor.unescapedString()
  assert.deepEqual([...cursor.bytes.subarray(cursor.start, cursor.stop)], [0xff, 0x0a, 0xc3])
})

test('says where what is wrong', () => {
  const table: readonly (readonly [string, string])[] = [
    ['', 'invalid JSON at byte 0: expected a value, found the end'],
    ['nul', 'invalid JSON at byte 0: expected a value, found "n"'],
    ['[1 2]', 'invalid JSON at byte 3: expected "," or "]", found "2"'],
    ['{"a" 1}', 'invalid JSON at byte 5: expected ":", found "1"'],
    ['{a:1}', 'invalid JSON at byte 1: expected a text in quotes, found "a"'],
    ['[1,]', 'invalid JSON at byte 3: expected a value, found "]"'],
    ['{"a":1,}', 'invalid JSON at byte 7: expected a text in quotes, found "}"'],
    ['[01]', 'invalid JSON at byte 1: expected a value, found "0"'],
    ['"abc', 'invalid JSON at byte 4: expected the end of a text, found the end'],
    ['[1}', 'invalid JSON at byte 2: expected "," or "]", found "}"'],
    ['1 1', 'invalid JSON at byte 2: expected the end, found "1"'],
  ]
  for (const [text, message] of table) {
    const cursor = cursorOn(text)
    const run = (): void => {
      cursor.skipValue()
      cursor.expectEnd()
    }
    assert.throws(run, (error) => error instanceof BadRequest && (assert.equal(error.message, message, text), true))
  }
  for (const escape of ['\\q', '\\u12', '\\u12g4', '\\u']) {
    const cursor = cursorOn(`"${escape}"`)
    assert.throws(() => cursor.stringText(), BadRequest, escape)
  }
})

test('nesting is bounded, also where it is only skipped', () => {
  for (const open of ['[', '{"a":']) {
    const cursor = cursorOn(open.repeat(10_000))
    assert.throws(() => cursor.skipValue(), new BadRequest(`JSON is nested deeper than ${maxJsonDepth} levels`))
  }
  const allowed = cursorOn('['.repeat(maxJsonDepth) + ']'.repeat(maxJsonDepth))
  allowed.skipValue()
  allowed.expectEnd()
})

test('accepts exactly what JSON.parse accepts, control characters aside', () => {
  const piece = fc.constantFrom(
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"a"',
    '"',
    '1',
    '-',
    '.5',
    'e1',
    'true',
    'null',
    ' ',
    '\\n',
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
      const text = pieces.join('')
      const isValid = succeeds(() => JSON.parse(text))
      const cursor = cursorOn(text)
      const isAccepted = succeeds(() => {
        read(cursor)
        cursor.expectEnd()
      })
      assert.equal(isAccepted, isValid, text)
    }),
    { numRuns: 5000 },
  )
})

function succeeds(run: () => unknown): boolean {
  try {
    run()
    return true
  } catch (error) {
    assert.ok(error instanceof BadRequest || error instanceof SyntaxError, String(error))
    return false
  }
}
