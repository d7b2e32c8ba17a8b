import assert from 'node:assert/strict'
import test from 'node:test'
import { parseExpr } from '#/logs/logql/parser/parse-expr.ts'
import { stageByKeyword, stageOf, stages, type StageNode } from './index.ts'
import type { LabelNeeds } from './stage.ts'
import { templateLabels } from './template-text.ts'

function stageNodes(pipeline: string): readonly StageNode[] {
  const expr = parseExpr(`{app="x"} ${pipeline}`)
  assert.ok(expr.kind === 'log')
  return expr.stages
}

/** What is needed in front of the pipeline, when `after` is needed behind it. */
function needs(pipeline: string, after: LabelNeeds = new Set()): LabelNeeds {
  return stageNodes(pipeline).reduceRight<LabelNeeds>((later, node) => stageOf(node).needs(node, later), after)
}

test('the table knows each stage by its kind and its keywords', () => {
  const keywords = Object.values(stages).flatMap((stage) => [...stage.keywords])
  assert.equal(new Set(keywords).size, keywords.length)
  for (const [kind, stage] of Object.entries(stages)) {
    assert.equal(stage.kind, kind)
    assert.match(stage.doc, /^[A-Z].*\.$/)
    for (const keyword of stage.keywords) assert.equal(stageByKeyword(keyword)?.kind, stage.begins ? undefined : kind)
  }
  assert.equal(stageByKeyword('unwrap'), undefined)
})

test('filters need the labels they look at, and what is needed behind them', () => {
  assert.deepEqual(needs('|= "x" | json | logfmt | unpack | decolorize'), new Set())
  assert.deepEqual(needs('| a=1 or (b="x" and c>5s) , d=ip("::1")', new Set(['z'])), new Set(['z', 'a', 'b', 'c', 'd']))
  assert.deepEqual(needs('| drop a, b="x" | keep c, d=~"y"'), new Set(['b', 'd']))
  assert.equal(needs('| a=1', 'all'), 'all')
})

test('stages at the end need the labels that they go by', () => {
  assert.deepEqual(needs('| distinct a, b | sort by c desc | limit 5', new Set(['z'])), new Set(['z', 'a', 'b', 'c']))
  assert.deepEqual(needs('| a in ({b="c"} | d=1 | keep e)'), new Set(['a']))
})

test('formats need the labels that their templates read', () => {
  assert.deepEqual(needs('| line_format "{{.a}} {{ .b | ToUpper }}"'), new Set(['a', 'b']))
  assert.deepEqual(needs('| label_format x=y, z="{{.w}}"'), new Set(['y', 'w']))
  assert.equal(needs('| line_format "{{ range $k, $v := . }}{{$k}}{{ end }}"'), 'all')
})

test('labels of a template', () => {
  const cases: [string, LabelNeeds][] = [
    ['plain', new Set()],
    ['{{.a}}{{- .b -}}', new Set(['a', 'b'])],
    ['{{ if eq .a "x.y" }}{{.b}}{{ else }}{{.c}}{{ end }}', new Set(['a', 'b', 'c'])],
    ['{{ with .a }}{{ printf "%s" .b }}{{ end }}', new Set(['a', 'b'])],
    ['{{ $x := .a }}{{ $x }}{{ $.b }}', new Set(['a', 'b'])],
    ['{{ .a | replace "." ".c" }}', new Set(['a'])],
    ['{{ (fromJson .a).b }}', new Set(['a'])],
    ['{{ __line__ | trunc 5 }}', new Set()],
    ['{{ . }}', 'all'],
    ['{{ $ }}', 'all'],
    ['{{ len . }}', 'all'],
    ['{{ define "t" }}{{.d}}{{ end }}{{.e}}', new Set(['d', 'e'])],
    ['{{ define "t" }}{{.d}}{{ end }}{{ template "t" . }}', 'all'],
  ]
  for (const [template, labels] of cases) assert.deepEqual(templateLabels(template), labels, template)
})

test('what stages do to lines and labels', () => {
  const writesLine = Object.values(stages).filter(({ reads }) => reads.writesLine)
  assert.deepEqual(
    writesLine.map(({ kind }) => kind),
    ['unpack', 'line_format', 'decolorize'],
  )
  const pure = Object.values(stages).filter(({ reads }) => !reads.writesLine && !reads.writesLabels)
  assert.deepEqual(
    pure.map(({ kind }) => kind),
    ['line_filter', 'distinct', 'sort', 'limit'],
  )
})
