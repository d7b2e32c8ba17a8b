import assert from 'node:assert/strict'
import { test } from 'node:test'
import { enableLinearRegex } from '#/platform/regex/linear.ts'
import { labelsOf, pipelineOf, runAll } from './page-fixture.ts'

enableLinearRegex()

const lineOf = (stages: string, line: string): string | undefined => runAll(stages, [line])[0]?.line

test('line_format writes the line anew; a missing label is empty', () => {
  assert.equal(lineOf('| logfmt | line_format "{{.a}}-{{.none}}-{{.app}}"', 'a=1'), '1--a')
  assert.equal(lineOf('| line_format "{{ __line__ | upper }}" |= "ABC"', 'abc'), 'ABC')
  assert.equal(lineOf('| line_format "x" | line_format "{{ __line__ }}y"', 'abc'), 'xy')
})

test('labels parsed from a line keep their values when the line changes', () => {
  assert.deepEqual(runAll('| logfmt | line_format "b=9" | logfmt', ['a=1'])[0], {
    line: 'b=9',
    labels: { a: '1', app: 'a', b: '9' },
  })
})

test('a template that fails leaves the line and sets TemplateFormatErr', () => {
  const [row] = runAll('| line_format "{{ div 1 0 }}"', ['abc'])
  assert.equal(row?.line, 'abc')
  assert.equal(row?.labels['__error__'], 'TemplateFormatErr')
  const labels = labelsOf('| label_format x="{{ div 1 0 }}"', 'abc')
  assert.deepEqual([labels?.['x'], labels?.['__error__']], [undefined, 'TemplateFormatErr'])
})

test('label_format renames and deletes the source; nothing happens when it is missing', () => {
  assert.deepEqual(labelsOf('| logfmt | label_format x=a', 'a=1'), { app: 'a', x: '1' })
  assert.deepEqual(labelsOf('| label_format x=app', ''), { x: 'a' })
  assert.deepEqual(labelsOf('| label_format x=t', { line: '', meta: { t: 'm' } }), { app: 'a', x: 'm' })
  assert.deepEqual(labelsOf('| logfmt | label_format a=none', 'a=1'), { app: 'a', a: '1' })
  assert.deepEqual(labelsOf('| label_format app=app', ''), { app: 'a' })
})

test('label_format templates: empty results stay, all see the labels before the first of them', () => {
  assert.deepEqual(labelsOf('| label_format x="{{.none}}"', ''), { app: 'a', x: '' })
  assert.deepEqual(labelsOf('| label_format app="b", y="{{.app}}"', ''), { app: 'b', y: 'a' })
  assert.deepEqual(labelsOf('| logfmt | label_format x=a, y="{{.x}}"', 'a=1'), { app: 'a', x: '1', y: '1' })
})

test('drop removes labels of every kind, and with a matcher only when it holds', () => {
  const entry = { line: '{"a":"1","b":"2"}', meta: { t: 'm' } }
  assert.deepEqual(labelsOf('| json | drop app, t, a, none', entry), { b: '2' })
  assert.deepEqual(labelsOf('| json | drop a="1", b="1", app=~"a|b", t!="x"', entry), { b: '2' })
  assert.deepEqual(labelsOf('| json | drop __error__, __error_details__', 'bad'), { app: 'a' })
})

test('keep removes all but the named labels; errors stay', () => {
  const entry = { line: '{"a":"1","b":"2"}', meta: { t: 'm' } }
  assert.deepEqual(labelsOf('| json | keep a, t', entry), { a: '1', t: 'm' })
  assert.deepEqual(labelsOf('| json | keep a="2", b="2"', entry), { b: '2' })
  assert.deepEqual(Object.keys(labelsOf('| json | keep none', 'bad')!), ['__error__', '__error_details__'])
})

test('decolorize takes terminal sequences out', () => {
  assert.equal(lineOf('| decolorize', '\u001b[31mred\u001b[0m and \u001b[1;32mgreen\u001b[m\u001b[K'), 'red and green')
  assert.equal(lineOf('| decolorize', '\u009b31mc1'), 'c1')
  assert.equal(lineOf('| decolorize', 'é [31m stays'), 'é [31m stays')
  assert.equal(lineOf('| decolorize |= "ab"', 'a\u001b[1mb'), 'ab')
})

test('regexp: named groups of the first match, no match adds nothing, a group without part is empty', () => {
  assert.deepEqual(labelsOf('| regexp "(?P<m>\\\\w+) (?P<p>\\\\S+)( (?P<none>x))?"', 'GET /a'), {
    app: 'a',
    m: 'GET',
    p: '/a',
    none: '',
  })
  assert.deepEqual(labelsOf('| regexp "(?P<m>\\\\d+)"', 'none'), { app: 'a' })
  assert.deepEqual(labelsOf('| regexp "(?P<app>x)"', 'x'), { app: 'a', app_extracted: 'x' })
})

test('pattern: captures up to the next text; it stops where that is missing, and never fails', () => {
  assert.deepEqual(labelsOf('| pattern "<m> <p> x"', 'GET /a y'), { app: 'a', m: 'GET', p: '/a y' })
  assert.deepEqual(labelsOf('| pattern "<ip> - <_> \\"<m>\\" <_>"', '1.1.1.1 - u "GET" 200'), {
    app: 'a',
    ip: '1.1.1.1',
    m: 'GET',
  })
  assert.deepEqual(labelsOf('| pattern "at <x>"', 'not at x'), { app: 'a' }, 'a leading text must begin the line')
  assert.deepEqual(labelsOf('| pattern "<a>,<b>;"', ',;'), { app: 'a', a: '', b: '' })
  assert.deepEqual(labelsOf('| pattern "<a>=<b>"', 'x'), { app: 'a', a: 'x' })
  assert.deepEqual(labelsOf('| pattern "<a>=<_>"', { line: Buffer.from([0x61, 0xff, 0x3d]) }), {
    app: 'a',
    a: 'a\ufffd',
  })
  const far = `${'x'.repeat(300)} y`
  assert.deepEqual(labelsOf('| pattern "<a> <b>"', far), { app: 'a', a: 'x'.repeat(300), b: 'y' })
})

test('unpack: string members become labels and _entry the line; without _entry nothing changes', () => {
  assert.deepEqual(runAll('| unpack', ['{"a":"1","n":2,"o":{"x":"y"},"_entry":"the \\"line\\""}'])[0], {
    line: 'the "line"',
    labels: { a: '1', app: 'a' },
  })
  assert.deepEqual(runAll('| unpack', ['{"a":"1"}'])[0], { line: '{"a":"1"}', labels: { app: 'a' } })
  assert.deepEqual(labelsOf('| unpack', 'plain'), {
    app: 'a',
    __error__: 'JSONParserErr',
    __error_details__: 'expecting json object(6), but it is not',
  })
})

test('metadata under a stream label is seen with _extracted; errors in it are errors of the entry', () => {
  assert.deepEqual(labelsOf('| logfmt', { line: 'x=1', meta: { app: 'm' } }), { app: 'a', app_extracted: 'm', x: '1' })
  assert.deepEqual(labelsOf('| app_extracted = "m"', { line: '', meta: { app: 'm' } }), {
    app: 'a',
    app_extracted: 'm',
  })
  const meta = { __error__: 'E', __error_details__: 'D' }
  assert.deepEqual(labelsOf('| logfmt', { line: '', meta }), { app: 'a', __error__: 'E', __error_details__: 'D' })
  assert.equal(labelsOf('| __error__ = ""', { line: '', meta }), undefined)
})

test('an empty stream label counts as missing', () => {
  assert.deepEqual(labelsOf('| logfmt | app = ""', 'app=x', { stream: [['app', '']] }), undefined)
  assert.deepEqual(labelsOf('| logfmt', 'app=x', { stream: [['app', '']] }), { app: 'x' })
})

test('what a pipeline reads', () => {
  assert.equal(pipelineOf('| app = "x"').readsLines, false)
  assert.equal(pipelineOf('|= "x"').readsLines, true)
  assert.equal(pipelineOf('| json').readsLines, true)
  assert.equal(pipelineOf('| json').readsMeta, 'all')
  assert.deepEqual(
    new Set(pipelineOf('| json | a > 5', new Set(['b_extracted'])).readsMeta),
    new Set(['a', 'b', 'b_extracted']),
  )
  assert.deepEqual(pipelineOf('|= "x"', new Set()).readsMeta, [])
})

test('parsers extract for the stages behind them, too', () => {
  assert.equal(labelsOf('| json | a = "1"', '{"b":2,"a":"1"}', { needed: new Set() })?.['a'], '1')
  assert.equal(lineOf('| json | line_format "{{.a}}"', '{"a":"1"}'), '1')
  const data = { needed: new Set(['c']) }
  assert.equal(labelsOf('| json | label_format c=b', '{"a":1,"b":2}', data)?.['c'], '2')
})
