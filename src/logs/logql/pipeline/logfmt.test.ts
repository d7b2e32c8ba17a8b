import assert from 'node:assert/strict'
import { test } from 'node:test'
import { labelsOf } from './page-fixture.ts'

function logfmt(line: string, options = '', needed?: ReadonlySet<string>): Readonly<Record<string, string>> {
  const { app: _, ...labels } = labelsOf(`| logfmt ${options}`, line, needed ? { needed } : {})!
  return labels
}

const failed = (details: string, labels = {}): Record<string, string> => ({
  ...labels,
  __error__: 'LogfmtParserErr',
  __error_details__: `logfmt syntax error at ${details}`,
})

test('pairs, quoted values with escapes, bare keys', () => {
  assert.deepEqual(logfmt('a=1 b="x y" c d=e\tf="q\\"\\n\\u00e9\\t"  g=é'), {
    a: '1',
    b: 'x y',
    d: 'e',
    f: 'q"\n\u00e9\t',
    g: 'é',
  })
  assert.deepEqual(logfmt(''), {})
  assert.deepEqual(logfmt('a="x"b=2'), { a: 'x', b: '2' })
})

test('without --strict a malformed pair is skipped and the rest goes on', () => {
  assert.deepEqual(logfmt('a=1 a=2 b= c="x y" =bad'), { a: '1', c: 'x y' })
  assert.deepEqual(logfmt('=x a=1'), { a: '1' })
  assert.deepEqual(logfmt('a"b=c d=1'), { d: '1' })
  assert.deepEqual(logfmt('a=b=c d=1'), { d: '1' })
  assert.deepEqual(logfmt('a=b"c d=1'), { d: '1' })
  assert.deepEqual(logfmt('a=1 b="never closed c=2'), { a: '1' })
  assert.deepEqual(logfmt('a="bad \\q" d=1'), { d: '1' })
})

test('--strict stops at the first malformed pair and says where', () => {
  assert.deepEqual(
    logfmt('a=1 a=2 b= c="x y" =bad e=1', '--strict'),
    failed("pos 20 : unexpected '='", { a: '1', c: 'x y' }),
  )
  assert.deepEqual(logfmt('a=1 b"c', '--strict'), failed(`pos 6 : unexpected '"'`, { a: '1' }))
  assert.deepEqual(logfmt('a=b=c', '--strict'), failed("pos 4 : unexpected '='"))
  assert.deepEqual(logfmt('a="x', '--strict'), failed('pos 5 : unterminated quoted value'))
  assert.deepEqual(logfmt('a="\\q"', '--strict'), failed('pos 7 : invalid quoted value'))
})

test('empty values are dropped unless --keep-empty', () => {
  assert.deepEqual(logfmt('a= b="" c d=1'), { d: '1' })
  assert.deepEqual(logfmt('a= b="" c d=1', '--keep-empty'), { a: '', b: '', c: '', d: '1' })
})

test('names are sanitised; the first wins; a name of the stream or metadata gets _extracted', () => {
  assert.deepEqual(logfmt('x.y=1 2z=2 é=3 x_y=4'), { x_y: '1', _2z: '2', _: '3' })
  assert.deepEqual(labelsOf('| logfmt', { line: 'app=b t=1', meta: { t: 'm' } }), {
    app: 'a',
    app_extracted: 'b',
    t: 'm',
    t_extracted: '1',
  })
  assert.deepEqual(labelsOf('| json | logfmt', '{"a":1} a=2'), { app: 'a', a: '1' })
})

test('bytes that are no UTF-8 become blanks, with extractions nothing', () => {
  const line = Buffer.concat([Buffer.from('a=x'), Buffer.from([0xff]), Buffer.from('y')])
  assert.equal(labelsOf('| logfmt', { line })?.['a'], 'x y')
  assert.equal(labelsOf('| logfmt a', { line })?.['a'], '')
})

test('extractions: every label is there, empty when its key is not', () => {
  assert.deepEqual(logfmt('a=1 b=2 c=3', 'x="b", c, none'), { x: '2', c: '3', none: '' })
  assert.deepEqual(labelsOf('| logfmt app, x="a"', 'app=b a=1'), { app: 'a', app_extracted: 'b', x: '1' })
  assert.deepEqual(labelsOf('| logfmt app', 'a=1'), { app: 'a' }, 'not set where the stream has it')
  assert.deepEqual(logfmt('a=1 a=2', 'a'), { a: '2' }, 'the last one overwrites')
})

test('metric queries extract what is needed and stop when it is there', () => {
  assert.deepEqual(logfmt('a=1 b=2 =', '--strict', new Set(['a'])), { a: '1' })
  assert.deepEqual(logfmt('=', '--strict', new Set()), {})
  assert.deepEqual(
    logfmt('a=1 =', '--strict', new Set(['a', '__error__'])),
    failed("pos 5 : unexpected '='", { a: '1' }),
  )
})
