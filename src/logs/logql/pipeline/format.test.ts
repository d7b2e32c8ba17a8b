import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Cancelled } from '#/kernel/errors.ts'
import { labelsOf, outcomeOf, pageOf, pipelineOf, runAll, type Outcome } from './page-fixture.ts'

const noCheck = (): void => undefined

function runAt(nowNs: bigint, stages: string, line: string, check: () => void = noCheck): Outcome | undefined {
  const pipeline = pipelineOf(stages)
  pipeline.begin(nowNs, check)
  const row = pipeline.run({ page: pageOf([line]), row: 0, day: 20_000, streamLabels: [['app', 'a']] })
  return row && outcomeOf(row)
}

test('now is what the job says, and the entry has its own time', () => {
  const stages = '| line_format "{{ now | unixEpoch }} {{ __timestamp__ | unixEpoch }}"'
  assert.equal(runAt(5_000_000_000n, stages, 'x')?.line, '5 1728000000')
  assert.equal(runAt(7_000_000_000n, stages, 'x')?.line, '7 1728000000')
})

test('the details of a failure are the whole message of the template engine', () => {
  const row = runAll('| line_format "{{ .app | div 1 }}"', ['x'])[0]
  assert.deepEqual(row?.labels, {
    app: 'a',
    __error__: 'TemplateFormatErr',
    __error_details__:
      'template: line:1:10: executing "line" at <div 1>: error calling div: runtime error: integer divide by zero',
  })
  assert.equal(row?.line, 'x')
})

test('a template sees the error labels, and writes over the error when it fails itself', () => {
  assert.equal(runAll('| json | line_format "{{ .__error__ }}"', ['bad'])[0]?.line, 'JSONParserErr')
  assert.equal(labelsOf('| json | label_format x="{{ .__error_details__ }}"', '{"a":')?.['x'], 'Malformed JSON error')
  assert.equal(labelsOf('| json | line_format "{{ div 1 0 }}"', 'bad')?.['__error__'], 'TemplateFormatErr')
})

test('templates of text and labels alone agree with the engine', () => {
  for (const template of [
    '{{.app}}',
    'a{{.app}}b{{ .none }}c{{.b}}',
    '',
    'plain',
    '{{.a}}{{.b}}',
    '{{ .__error__ }}',
  ]) {
    const simple = runAll(`| logfmt | line_format \`${template}\``, ['a=1 b="x y"', ''])
    const full = runAll(`| logfmt | line_format \`${template}{{ if false }}{{ end }}\``, ['a=1 b="x y"', ''])
    assert.deepEqual(simple, full, template)
  }
})

test('an output that gets too long is a failure, also of a template of labels alone', () => {
  const template = '{{.a}}'.repeat(1000)
  const row = runAll(`| logfmt | line_format "${template}"`, [`a=${'x'.repeat(2000)}`])[0]
  assert.equal(row?.labels['__error__'], 'TemplateFormatErr')
  assert.equal(row?.labels['__error_details__'], 'template: line: output is longer than 1048576 characters')
})

test('a template that works hard asks now and then whether the query is still wanted', () => {
  const cancelled = (): never => {
    throw new Cancelled('nobody waits')
  }
  assert.throws(() => runAt(0n, '| line_format "{{ range 60000 }}{{ end }}"', 'x', cancelled), Cancelled)
  assert.throws(() => runAt(0n, '| line_format "{{ range 999999 }}{{ end }}"', 'x', cancelled), Cancelled)
  assert.equal(runAt(0n, '| line_format "{{ range 10 }}.{{ end }}"', 'x', cancelled)?.line, '..........')
})

test('label_format: templates see one snapshot, taken at the first of them; later renames do not show', () => {
  const line = 'a=1 b=2'
  assert.deepEqual(labelsOf('| logfmt | label_format a="{{.b}}", b="{{.a}}"', line), { app: 'a', a: '2', b: '1' })
  assert.deepEqual(labelsOf('| logfmt | label_format c=a, d="{{.c}}{{.a}}"', line), {
    app: 'a',
    b: '2',
    c: '1',
    d: '1',
  })
  assert.deepEqual(labelsOf('| logfmt | label_format x="{{.a}}", c=a, y="{{.a}}{{.c}}"', line), {
    app: 'a',
    b: '2',
    c: '1',
    x: '1',
    y: '1',
  })
  assert.deepEqual(labelsOf('| logfmt | label_format x="{{ div 1 0 }}", y="{{.a}}"', line)?.['y'], '1')
})
