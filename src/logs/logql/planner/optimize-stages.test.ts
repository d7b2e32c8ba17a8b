import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseExpr } from '#/logs/logql/parser/parse-expr.ts'
import { printStage } from '#/logs/logql/stages/index.ts'
import { optimizeStages } from './optimize-stages.ts'
import type { Plan } from './plan.ts'
import { makePlan } from './make-plan.ts'
import { splitTail } from './split-tail.ts'

function optimized(stages: string): string {
  const expr = parseExpr(`{app="a"} ${stages}`)
  assert(expr.kind === 'log')
  return optimizeStages(splitTail(expr.stages).rowStages).stages.map(printStage).join(' ')
}

/** Each case: stages, and what becomes of them; undefined: they stay as they are. */
function check(cases: readonly (readonly [string, string | undefined])[]): void {
  for (const [stages, expected] of cases) assert.equal(optimized(stages), expected ?? stages, stages)
}

test('line filters that pass every line are left out', () => {
  check([
    ['|= ""', ''],
    ['|= "" |= "a"', '|= "a"'],
    ['|~ ".*" | json', '| json'],
    ['|= "a" or ""', ''],
    ['|~ "(?:a|b)*"', ''],
    ['|~ ".+"', undefined],
    ['|~ "^"', undefined],
    ['!= ""', undefined],
    ['|> "<_>"', undefined],
  ])
})

test('a line filter that follows from another one is left out', () => {
  check([
    ['|= "error" |= "error"', '|= "error"'],
    ['|= "err" |= "error"', '|= "error"'],
    ['|= "time" |~ "error.*timeout"', '|~ "error.*timeout"'],
    ['|= "error" |~ "err|warn"', '|= "error"'],
    ['|= "error" |~ "e[a-z]+r"', '|= "error"'],
    ['|= "ab" or "cb" |= "b"', '|= "ab" or "cb"'],
    ['!= "error" != "err"', '!= "err"'],
    ['!= "err" or "x" !~ "error"', '!= "err" or "x"'],
    ['!~ "a.c" !~ "a.c"', '!~ "a.c"'],
    // what looks around itself depends on where it stands
    ['|= "error" |~ "^err"', undefined],
    ['|= "error" |~ "\\\\bror"', undefined],
    // a search for the one text that the expression could do itself is the better first step
    ['|= "a" |~ "a[0-9]"', undefined],
    ['|= "a" != "b"', undefined],
    ['|= "b" |= "ab" or "c"', '|= "b" |= "ab" or "c"'],
    // not the same line
    ['|= "error" | line_format "x" |= "err"', undefined],
  ])
})

test('filters on the stored line go first, the most selective before the slow ones', () => {
  check([
    ['|~ "[0-9]+" |= "error"', '|= "error" |~ "[0-9]+"'],
    ['!= "debug" |= "timeout"', '|= "timeout" != "debug"'],
    ['|= "ab" |= "timeout"', '|= "timeout" |= "ab"'],
    ['|= ip("10.0.0.0/8") |~ "x.*y z" |= "q"', '|= "q" |~ "x.*y z" |= ip("10.0.0.0/8")'],
    ['| json | a > 5 |= "x"', '|= "x" | json | a>5'],
    ['| json | line_format "{{.a}}" |= "x"', undefined],
    ['| unpack |= "x"', undefined],
  ])
})

test('a pattern is tried on lines that have its longest text only', () => {
  check([
    ['|> "<_> took <_>ms"', '|= " took " |> "<_> took <_>ms"'],
    ['|> "<_>ab" or "cde<_>"', '|= "ab" or "cde" |> "<_>ab" or "cde<_>"'],
    ['|> "<_>a<_>"', undefined],
    ['!> "<_> took <_>ms"', undefined],
    ['|> "<_> took <_>" |= "it took long"', '|= "it took long" |> "<_> took <_>"'],
  ])
})

test('what a label must be, the line must hold', () => {
  const json = '| ( level="" or level="error" ) | json | level="error"'
  check([
    ['| json | level="error"', `|= "error" or "\\\\" ${json}`],
    ['|= "an error" | json | level="error"', `|= "an error" ${json}`],
    [
      '| regexp "(?P<level>[a-z]+)" | level="error"',
      '|= "error" | ( level="" or level="error" ) | regexp "(?P<level>[a-z]+)" | level="error"',
    ],
    [
      '| json | drop __error__ | level="error"',
      `|= "error" or "\\\\" ${json.replace('| level', '| drop __error__ | level')}`,
    ],
  ])
  const firstFilter = (stages: string): string => optimized(stages).split(' | ')[0]!
  // bytes that are no UTF-8 become blanks
  assert.equal(firstFilter('| logfmt | msg="it took longer"'), '|= "longer" or "\\\\"')
  assert.equal(firstFilter('| json | level=~"error|fatal" and app="x"'), '|= "error" or "fatal" or "\\\\"')
  assert.equal(firstFilter('| json | level="error" or pod="web-1"'), '|= "error" or "web-1" or "\\\\"')
  for (const stages of [
    '| json | level=""',
    '| json | level=~"error|"',
    '| json | level!="error"',
    '| json | status=500',
    '| json | level="e"',
    '| json | level="error" or status>=500',
    '| json | __error__="JSONParserErr"',
    '| json | level_extracted="error"',
    '| json | label_format level=severity | level="error"',
    '| line_format "{{.x}}" | json | level="error"',
    '| unpack | level="error"',
    '| level="error"',
  ]) {
    assert.doesNotMatch(optimized(stages), /\|=/, stages)
  }
})

test('filters on texts do not wait for stages that have nothing to do with them', () => {
  check([
    ['| line_format "{{.x}}" | level="error"', '| level="error" | line_format "{{.x}}"'],
    ['| pattern "<ip> <_>" | level="error"', '| level="error" | pattern "<ip> <_>"'],
    ['| decolorize | a=~"x.*"', '| a=~"x.*" | decolorize'],
    ['| label_format b=c | a="xy"', '| a="xy" | label_format b=c'],
    ['| label_format a=c | a="xy"', undefined],
    ['| label_format b=a | a="xy"', undefined],
    ['| line_format "{{.x}}" | __error__=""', undefined],
    // an error of the template lets the entry pass
    ['| line_format "{{.x}}" | status>=500', undefined],
    ['| drop a | a="xy"', undefined],
  ])
})

test('labels of streams and metadata are looked at before parsers run', () => {
  check([
    ['| json | pod!="x"', '| ( pod="" or pod!="x" ) | json | pod!="x"'],
    ['| json | a>5 and pod!="x"', '| ( pod="" or pod!="x" ) | json | ( a>5 , pod!="x" )'],
    ['| json | ( a!="x" or b!="y" )', '| ( a="" or b="" or a!="x" or b!="y" ) | json | ( a!="x" or b!="y" )'],
    ['| json | a>5 or pod!="x"', '| json | ( a>5 or pod!="x" )'],
    ['| json | keep a | pod!="x"', undefined],
    ['| json | pod_extracted!="x"', undefined],
    ['| json | __error__=""', undefined],
  ])
})

test('rules that did something say what', () => {
  const expr = parseExpr('{app="a"} |= "" | json |= "x"')
  assert(expr.kind === 'log')
  const { applied } = optimizeStages(splitTail(expr.stages).rowStages)
  assert.deepEqual(applied, [
    { rule: 'drop idle line filters', notes: ['|= "" passes every line'] },
    { rule: 'order line filters', notes: ['line filters see whole pages before any other stage runs: |= "x"'] },
  ])
})

test('queries with very many stages are left alone', () => {
  const stages = '|= "" '.repeat(257).trim()
  assert.equal(optimized(stages), stages)
})

test('filters on labels that streams have choose streams', () => {
  const filters = (plan: Plan): unknown => plan.kind === 'logs' && plan.selection.streamFilters!.map(({ name }) => name)
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ['| pod="x"', ['pod']],
    ['| json | pod="x" and ns=~"a.*" | a="1" or a="2"', ['pod', 'ns', 'a']],
    ['| json | pod="x" or ns="y"', []],
    ['| status>=500', []],
    ['| label_format pod=x | pod="x"', []],
    ['| drop pod | pod="x"', []],
    ['| keep ns | pod="x" | ns="y"', ['ns']],
    ['| __error__="" | a_extracted="x"', []],
  ]
  for (const [stages, names] of cases)
    assert.deepEqual(filters(makePlan(parseExpr(`{app="a"} ${stages}`))), names, stages)
})
