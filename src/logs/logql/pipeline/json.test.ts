import assert from 'node:assert/strict'
import { test } from 'node:test'
import { jsonFaults, MAX_JSON_DEPTH } from '#/kernel/json-scan.ts'
import { labelsOf } from './page-fixture.ts'

/** Labels beside the stream's own. */
function json(line: string, needed?: ReadonlySet<string>): Readonly<Record<string, string>> {
  const { app: _, ...labels } = labelsOf('| json', line, needed ? { needed } : {})!
  return labels
}

const failed = (fault: string, labels = {}): Record<string, string> => ({
  ...labels,
  __error__: 'JSONParserErr',
  __error_details__: fault,
})

test('members become labels: nested names are joined, null and arrays are left out', () => {
  assert.deepEqual(json('{"app":"z","n":{"k":1},"arr":[1],"nul":null}'), { app_extracted: 'z', n_k: '1' })
  assert.deepEqual(json('{"a":{"b":{"c":"x"},"d":[{"e":1}]},"f":2}'), { a_b_c: 'x', f: '2' })
  assert.deepEqual(json('{}'), {})
  assert.deepEqual(json(' { "a" : "b" , "c" : { } } '), { a: 'b' })
})

test('strings are unescaped, numbers keep their text, booleans are words', () => {
  assert.deepEqual(json('{"a":"x\\n\\"\\u00e9\\ud83d\\ude00\\/","b":1e3,"c":-0.50,"d":true,"e":false,"f":""}'), {
    a: 'x\n"é\u{1f600}/',
    b: '1e3',
    c: '-0.50',
    d: 'true',
    e: 'false',
    f: '',
  })
})

test('names are sanitised: blanks around cut, other runes to _, no digit first', () => {
  assert.deepEqual(json('{" a.b-c ":1,"2x":2,"é":3,"日本":4,"":5,"n":{"3":6,"":{"y":7}},"a\\"b":8}'), {
    a_b_c: '1',
    _2x: '2',
    _: '3',
    __: '4',
    n_3: '6',
    n_y: '7',
    a_b: '8',
  })
})

test('the first of several members with one name wins', () => {
  assert.deepEqual(json('{"a":1,"a":2,"b":{"c":3},"b_c":4}'), { a: '1', b_c: '3' })
  assert.equal(labelsOf('| logfmt | json', '{"a":1} a=2')?.['a'], '2', 'an earlier parser wins too')
})

test('a name of the stream or the metadata gets _extracted behind the whole name', () => {
  const stream = [['app', 'a'] as const, ['n_k', 'x'] as const]
  const labels = labelsOf('| json', { line: '{"app":"b","n":{"k":1},"trace":"t"}', meta: { trace: 'm' } }, { stream })
  assert.deepEqual(labels, {
    app: 'a',
    app_extracted: 'b',
    n_k: 'x',
    n_k_extracted: '1',
    trace: 'm',
    trace_extracted: 't',
  })
})

test('bytes that are no UTF-8 become blanks', () => {
  const line = Buffer.concat([Buffer.from('{"a":"x'), Buffer.from([0xff]), Buffer.from('y"}')])
  assert.equal(labelsOf('| json', { line })?.['a'], 'x y')
})

test('a line that is no object, or is malformed, keeps what came before and gets an error', () => {
  assert.deepEqual(json('plain'), failed(jsonFaults.object))
  assert.deepEqual(json(''), failed(jsonFaults.object))
  assert.deepEqual(json('[1]'), failed(jsonFaults.object))
  assert.deepEqual(json('{'), failed(jsonFaults.malformed))
  assert.deepEqual(json('{"a":1'), failed(jsonFaults.array, { a: '1' }))
  assert.deepEqual(json('{"a":1,"b'), failed(jsonFaults.malformed, { a: '1' }))
  assert.deepEqual(json('{"a":1,"b"'), failed(jsonFaults.malformed, { a: '1' }))
  assert.deepEqual(json('{"a":1,"b":'), failed(jsonFaults.malformed, { a: '1' }))
  assert.deepEqual(json('{"a":1,"b":"x'), failed(jsonFaults.string, { a: '1' }))
  assert.deepEqual(json('{"a":1,"b":bad}'), failed(jsonFaults.unknown, { a: '1' }))
  assert.deepEqual(json('{"a":1,"b":[1,2}'), failed(jsonFaults.array, { a: '1' }))
  assert.deepEqual(json('{"a":1 "b":2}'), failed(jsonFaults.object, { a: '1' }))
  assert.deepEqual(json('{a:1}'), failed(jsonFaults.object))
})

test('nothing of a nested object counts that is never closed', () => {
  assert.deepEqual(json('{"a":1,"b":{"c":2,"d":3'), failed(jsonFaults.object, { a: '1' }))
  assert.deepEqual(json('{"a":1,"b":{"c":2,x}}'), failed(jsonFaults.object, { a: '1', b_c: '2' }))
})

test('text behind the object and a comma before its end are forgiven', () => {
  assert.deepEqual(json('{"a":1,} and more'), { a: '1' })
})

test('10,000 levels are no danger', () => {
  const deep = 10_000
  assert.deepEqual(json(`{"x":1,"a":${'['.repeat(deep)}${']'.repeat(deep)},"y":2}`), { x: '1', y: '2' })
  const objects = `{"x":1,${'"a":{'.repeat(deep)}${'}'.repeat(deep)},"y":2}`
  assert.deepEqual(json(objects), { x: '1', y: '2' })
  assert.deepEqual(json(`{"x":1,${'"a":{'.repeat(deep)}`), failed(jsonFaults.object, { x: '1' }))
  const shallow = MAX_JSON_DEPTH - 1
  const names = Array.from({ length: shallow }, () => 'a').join('_')
  assert.deepEqual(json(`${'{"a":'.repeat(shallow)}1${'}'.repeat(shallow)}`), { [names]: '1' })
})

test('many and long keys are all extracted', () => {
  const members = Array.from({ length: 20_000 }, (_, i) => [`key${i}`, String(i)] as const)
  const line = JSON.stringify(Object.fromEntries(members))
  const labels = json(line, new Set(['key0', 'key19999']))
  assert.deepEqual(labels, { key0: '0', key19999: '19999' })
  const long = 'k'.repeat(5000)
  assert.deepEqual(json(`{"${long}":1}`), { [long]: '1' })
})

test('metric queries extract what is needed, stop when it is all there, and need nothing for nothing', () => {
  assert.deepEqual(json('{"a":1,"b":2,"n":{"c":3}}', new Set(['b'])), { b: '2' })
  assert.deepEqual(json('{"a":1,"n":{"c":3},"m":{"c":4}}', new Set(['n_c'])), { n_c: '3' })
  assert.deepEqual(json('{"a":1, malformed', new Set(['a'])), { a: '1' })
  assert.deepEqual(json('malformed', new Set()), {})
  assert.deepEqual(json('{"a":1, malformed', new Set(['a', '__error__'])), failed(jsonFaults.object, { a: '1' }))
  assert.deepEqual(json('{"app":"z","a":1}', new Set(['app_extracted'])), { app_extracted: 'z' })
  assert.deepEqual(json('{"app":"z","a":1}', new Set(['app'])), {})
})

test('expressions take one path each', () => {
  const line = '{"a":{"b":[{"c":"x\\ty"},2]},"n":null,"t":true,"o":{"p": 1},"k.k":3}'
  const labels = labelsOf(
    '| json c="a.b[0].c", second="a.b[1]", n, t, o, list="a.b", dotted="[\\"k.k\\"]", none="a.x", far="a.b[9]"',
    line,
  )
  assert.deepEqual(labels, {
    app: 'a',
    c: 'x\ty',
    second: '2',
    n: '',
    t: 'true',
    o: '{"p": 1}',
    list: '[{"c":"x\\ty"},2]',
    dotted: '3',
    none: '',
    far: '',
  })
})

test('expressions: collisions, missing values and lines that are no JSON', () => {
  assert.deepEqual(labelsOf('| json app', '{"app":"b"}'), { app: 'a', app_extracted: 'b' })
  assert.deepEqual(labelsOf('| json app="nope"', '{}'), { app: 'a' }, 'a label of that name is there')
  assert.deepEqual(labelsOf('| json a', ''), { app: 'a' })
  assert.deepEqual(labelsOf('| json a', 'plain'), { app: 'a', __error__: 'JSONParserErr' })
  assert.deepEqual(labelsOf('| json a | json a="b"', '{"a":1,"b":2}'), { app: 'a', a: '2' }, 'expressions overwrite')
})
