import assert from 'node:assert/strict'
import { test } from 'node:test'

import { BadRequest } from '#/kernel/errors.ts'
import { formatGroup, formatRuleFile } from './format-rules.ts'
import { readRuleFile, readRuleGroup } from './read-rules.ts'

const good = `groups:
  - name: web
    interval: 30s
    query_offset: 10s
    limit: 7
    labels: {team: a}
    rules:
      - alert: Errors
        expr: sum by (app) (rate({app="web"} |= "error" [5m])) > 10
        for: 5m
        keep_firing_for: 1m
        labels: {severity: page}
        annotations: {summary: "{{ $labels.app }}: {{ $value }}"}
      - record: app:lines:rate1m
        expr: sum by (app) (rate({app="web"}[1m]))
        labels: {from: logs}
`

test('a file becomes groups and groups become the same file', () => {
  const { groups, problems } = readRuleFile('a.yaml', good)
  assert.deepEqual(problems, [])
  assert.equal(groups.length, 1)
  const [group] = groups
  assert.deepEqual(
    { ...group, rules: [] },
    {
      name: 'web',
      intervalMs: 30_000,
      queryOffsetMs: 10_000,
      limit: 7,
      labels: { team: 'a' },
      rules: [],
    },
  )
  assert.deepEqual(group?.rules[0], {
    kind: 'alert',
    name: 'Errors',
    expr: 'sum by (app) (rate({app="web"} |= "error" [5m])) > 10',
    forMs: 300_000,
    keepFiringForMs: 60_000,
    labels: { severity: 'page' },
    annotations: { summary: '{{ $labels.app }}: {{ $value }}' },
  })
  assert.deepEqual(readRuleFile('b.yaml', formatRuleFile(groups)).groups, groups)
  assert.deepEqual(readRuleGroup(formatGroup(groups[0]!)), groups[0])
})

/** Everything that is wrong with the one group of a file, without its place. */
const wrongWith = (rule: string, more = ''): string[] => {
  const text = `groups:\n- name: g\n${more}  rules:\n  - ${rule}\n`
  return readRuleFile('f.yaml', text).problems.map((problem) => problem.replace(/^f\.yaml:\d+: /, ''))
}

test('what is wrong with a rule', () => {
  const expr = 'expr: vector(1)'
  assert.deepEqual(wrongWith(`{${expr}}`), ["one of 'record' or 'alert' must be set"])
  assert.deepEqual(wrongWith(`{record: a, alert: b, ${expr}}`), ["only one of 'record' and 'alert' must be set"])
  assert.deepEqual(wrongWith('{alert: a}'), ["field 'expr' must be set in rule (alert 'a' in group 'g')"])
  assert.deepEqual(wrongWith(`{record: a-b, ${expr}}`), ['invalid recording rule name: a-b'])
  assert.deepEqual(wrongWith(`{record: a, for: 5m, ${expr}, annotations: {x: y}}`), [
    "invalid field 'annotations' in recording rule",
    "invalid field 'for' in recording rule",
  ])
  assert.deepEqual(wrongWith(`{alert: a, ${expr}, labels: {a-b: x, __name__: y}}`), [
    'invalid label name: a-b',
    'invalid label name: __name__',
  ])
  assert.deepEqual(wrongWith(`{alert: a, ${expr}, anotations: {a: b}}`), [
    'field anotations not found, did you mean annotations?',
  ])
  assert.deepEqual(wrongWith(`{alert: a, ${expr}, for: 5 minutes}`), ['for: not a valid duration string: "5 minutes"'])
  assert.match(
    wrongWith(`{alert: a, expr: 'sum(rate({a="b"}[5m])'}`)[0] ?? '',
    /^could not parse expression for alert 'a' in group 'g': parse error/,
  )
  assert.match(wrongWith(`{alert: a, expr: '{a="b"}'}`)[0] ?? '', /is a log query; a rule needs numbers/)
  assert.match(
    wrongWith(`{alert: a, ${expr}, annotations: {s: '{{ .x'}}`)[0] ?? '',
    /^annotation "s": error parsing template/,
  )
  assert.deepEqual(wrongWith(`{alert: a, ${expr}}`, '  limit: -1\n'), ['limit: expected a whole number, found -1'])
})

test('a problem names its line', () => {
  const text = good.replace('for: 5m', 'for: 5 m')
  assert.deepEqual(readRuleFile('a.yaml', text).problems, ['a.yaml:10: for: not a valid duration string: "5 m"'])
})

test('names are needed once', () => {
  const text = 'groups:\n- {name: a, rules: []}\n- {name: a, rules: []}\n- {rules: []}\n'
  assert.deepEqual(readRuleFile('f', text).problems, [
    'f:3: groupname: "a" is repeated in the same file',
    'f:4: group name must not be empty',
  ])
})

test('a group as the API takes it', () => {
  const fails = (text: string, message: string): void =>
    assert.throws(
      () => readRuleGroup(text),
      (error: unknown) => error instanceof BadRequest && error.message === message,
    )
  fails('a: [', 'unable to decoded rule group')
  fails('just text', 'unable to decoded rule group')
  fails('', 'unable to decoded rule group')
  fails(
    'name: a\nrules: [{alert: x}, {}]',
    "field 'expr' must be set in rule (alert 'x' in group 'a'), one of 'record' or 'alert' must be set",
  )
})

test('hostile texts are refused like others', () => {
  const aliases = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map(
    (name, index, names) =>
      `${name}: &${name} [${Array(9)
        .fill(index === 0 ? 'x' : `*${names[index - 1]}`)
        .join()}]`,
  )
  const hostile = [aliases.join('\n'), '['.repeat(20_000), '{a: '.repeat(20_000), `name: ${'x'.repeat(1024 * 1024)}`]
  for (const text of hostile) {
    assert.equal(readRuleFile('f', text).groups.length, 0)
    assert.ok(readRuleFile('f', text).problems.length > 0)
    assert.throws(() => readRuleGroup(text), BadRequest)
  }
  const wrong = readRuleFile('f', `groups: [${'{},'.repeat(1000)}]`)
  assert.equal(wrong.problems.length, 100)
})
