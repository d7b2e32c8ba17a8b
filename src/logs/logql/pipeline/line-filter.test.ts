import assert from 'node:assert/strict'
import { test } from 'node:test'
import { enableLinearRegex } from '#/platform/regex/linear.ts'
import { pageOf, pipelineOf, runAll, selectRows } from './page-fixture.ts'

enableLinearRegex()

/** The lines that pass, with the filter over the page and, behind a line_format, row by row: both must agree. */
function passing(stages: string, lines: readonly string[]): string[] {
  const byPage = selectRows(pipelineOf(stages), pageOf(lines)).map((row) => lines[row]!)
  const byRow = runAll(`| line_format "{{ __line__ }}" ${stages}`, lines).flatMap((outcome) => outcome?.line ?? [])
  assert.deepEqual(byPage, byRow)
  return byPage
}

test('|= keeps lines that contain the text, by bytes and case', () => {
  assert.deepEqual(passing('|= "foo"', ['foo', 'afoob', 'Foo', 'fo', '']), ['foo', 'afoob'])
  assert.deepEqual(passing('|= "é"', ['é', 'e', '\u00e9x']), ['é', '\u00e9x'])
})

test('a text across the border of two lines is in neither', () => {
  assert.deepEqual(passing('|= "foo"', ['xf', 'oo', 'fo', 'o', 'foo']), ['foo'])
  assert.deepEqual(passing('|~ "fo[o]+"', ['xf', 'oo', 'fo', 'o', 'foo']), ['foo'])
})

test('the empty text matches every line', () => {
  assert.deepEqual(passing('|= ""', ['a', '']), ['a', ''])
  assert.deepEqual(passing('!= ""', ['a', '']), [])
  assert.deepEqual(passing('|~ ".*"', ['a', '']), ['a', ''])
  assert.deepEqual(passing('|~ ".+"', ['a', '']), ['a'])
})

test('!= keeps lines that do not contain the text', () => {
  assert.deepEqual(passing('!= "foo"', ['foo', 'bar', '', 'xfoo']), ['bar', ''])
})

test('an or chain passes when any matches; a negative one only when none does', () => {
  const lines = ['a', 'b', 'c', 'ab']
  assert.deepEqual(passing('|= "a" or "b"', lines), ['a', 'b', 'ab'])
  assert.deepEqual(passing('!= "a" or "b"', lines), ['c'])
  assert.deepEqual(passing('|~ "a$" or "^b"', lines), ['a', 'b'])
  assert.deepEqual(passing('!~ "a$" or "^b"', lines), ['c', 'ab'])
})

test('regular expressions search anywhere, with flags', () => {
  const lines = ['GET /a 200', 'get /b 500', 'POST /c 503 ', 'é 500', '']
  assert.deepEqual(passing('|~ "5\\\\d\\\\d$"', lines), ['get /b 500', 'é 500'])
  assert.deepEqual(passing('|~ "(?i)get"', lines), ['GET /a 200', 'get /b 500'])
  assert.deepEqual(passing('|~ "GET|POST"', lines), ['GET /a 200', 'POST /c 503 '])
  assert.deepEqual(passing('!~ "^[A-Z]+ "', lines), ['get /b 500', 'é 500', ''])
  assert.deepEqual(passing('|~ "^. 500"', lines), ['é 500'])
  assert.deepEqual(passing('|~ "^$"', lines), [''])
})

test('case folding goes beyond ASCII', () => {
  assert.deepEqual(passing('|~ "(?i)kelvin"', ['KELVIN', '\u212aelvin', 'elvin']), ['KELVIN', '\u212aelvin'])
  assert.deepEqual(passing('|~ "(?i)É"', ['é', 'É', 'e']), ['é', 'É'])
})

test('bytes that are no UTF-8 are one rune each', () => {
  const page = pageOf([{ line: Buffer.from([0x61, 0xff, 0x62]) }, 'ab'])
  assert.deepEqual(selectRows(pipelineOf('|~ "^a.b$"'), page), [0])
  assert.deepEqual(selectRows(pipelineOf('|= "ab"'), page), [1])
})

test('lines with newlines in them: the dot stops, (?s) does not, (?m) sees lines', () => {
  const lines = ['a\nb', 'ab']
  assert.deepEqual(passing('|~ "a.b"', lines), [])
  assert.deepEqual(passing('|~ "(?s)a.b"', lines), ['a\nb'])
  assert.deepEqual(passing('|~ "(?m)^b"', lines), ['a\nb'])
})

test('|> and !>: texts in order, something between them, the rest exact', () => {
  const lines = ['GET /a took 5ms', 'GET took 5ms', 'x GET /b took 7ms', 'GET /a took ', '', 'foo']
  assert.deepEqual(passing('|> "GET <_> took <_>"', lines), ['GET /a took 5ms', 'x GET /b took 7ms'])
  assert.deepEqual(passing('!> "GET <_> took <_>"', lines), ['GET took 5ms', 'GET /a took ', '', 'foo'])
  assert.deepEqual(passing('|> "<_>foo"', ['foo', 'afoo', 'foob']), ['afoo'])
  assert.deepEqual(passing('|> "foo<_>"', ['foo', 'foob', 'afoob']), ['foob', 'afoob'])
  assert.deepEqual(passing('|> ""', ['', 'a']), [''])
  assert.deepEqual(passing('|> "<_>"', ['', 'a']), ['a'])
  assert.deepEqual(passing('|> "foo"', ['foo', 'afoo', 'foob']), ['foo', 'afoo'])
  assert.deepEqual(passing('|> "<_> ba<_>z"', ['foo bar baz', 'foo bar']), ['foo bar baz'])
  assert.deepEqual(passing('|> "<_>a<_>c"', ['xabcbc']), [], 'the first c is taken, and there is no way back')
})

test('ip: addresses, blocks and ranges anywhere in the line', () => {
  const lines = ['from 10.1.2.3:80', 'from 192.168.0.1', '999.1.1.1', 'v6 2001:db8::1 ok', 'none']
  assert.deepEqual(passing('|= ip("10.0.0.0/8")', lines), ['from 10.1.2.3:80'])
  assert.deepEqual(passing('!= ip("10.0.0.0/8")', lines), lines.slice(1))
  assert.deepEqual(passing('|= ip("192.168.0.0-192.168.0.9")', lines), ['from 192.168.0.1'])
  assert.deepEqual(passing('|= ip("2001:db8::/32")', lines), ['v6 2001:db8::1 ok'])
  assert.deepEqual(passing('|= "none" or ip("192.168.0.1")', lines), ['from 192.168.0.1', 'none'])
})

test('filters run one after the other on what is left, also when that is little', () => {
  const lines = Array.from(
    { length: 2000 },
    (_, i) => `line ${i} ${i % 97 === 0 ? 'rare' : 'often'} ${i % 2 === 0 ? 'even' : 'odd'}`,
  )
  const expected = lines.filter((line) => line.includes('rare') && line.includes('even') && /\d{3}/.test(line))
  assert.deepEqual(passing('|= "rare" |= "even" |~ "\\\\d{3}"', lines), expected)
})

test('filters behind parsers and label filters run before them, as they drop the same lines', () => {
  const pipeline = pipelineOf('| json | a > 5 |= "x" | drop b != "y" | line_format "z" |= "z"')
  assert.equal(pipeline.pageFilters.length, 1, 'drop took b != "y"')
  assert.equal(pipelineOf('| logfmt | decolorize |= "x"').pageFilters.length, 0, 'the line is another one')
  assert.equal(pipelineOf('| unpack |= "x"').pageFilters.length, 0)
  assert.equal(pipelineOf('|= "a" |= "b"').isTrivial, true)
  assert.deepEqual(
    runAll('| json | a > 5 |= "yes"', ['{"a":9,"b":"yes"}', '{"a":9}', '{"a":1,"b":"yes"}']).map(
      (row) => row?.labels['b'],
    ),
    ['yes', undefined, undefined],
  )
})

test('lines in shared memory, as heads have them', () => {
  const page = pageOf(['GET /a', 'é get', 'post x'])
  const shared = Buffer.from(new SharedArrayBuffer(page.lines.length))
  shared.set(page.lines)
  const lines = { ...page, lines: shared }
  for (const [stages, rows] of Object.entries({
    '|= "get"': [1],
    '|~ "(?i)get"': [0, 1],
    '|~ "^[A-Z]+ /"': [0],
    '|> "<_>st <_>"': [2],
  })) {
    assert.deepEqual(selectRows(pipelineOf(stages), lines), rows, stages)
  }
  const entry = { page: { ...pageOf(['{"a":"x\\n","b":1}']) }, row: 0, day: 0, streamLabels: [] }
  const json = Buffer.from(new SharedArrayBuffer(entry.page.lines.length))
  json.set(entry.page.lines)
  entry.page = { ...entry.page, lines: json }
  assert.equal(pipelineOf('| json | b = 1').run(entry)?.get('a'), 'x\n')
})
