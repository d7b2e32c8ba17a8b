import assert from 'node:assert/strict'
import { test } from 'node:test'

import { expandOrExplain, templateProblem, usesLines } from './rule-template.ts'

function expand(text: string, value = 1234567, lines: readonly string[] = ['second', 'first']): string {
  return expandOrExplain(text, '__alert_X', {
    labels: [
      ['app', 'web'],
      ['instance', 'host.example.org:9100'],
    ],
    value,
    lines,
    externalLabels: { region: 'eu' },
    externalUrl: 'https://logs.example.org',
    nowNs: 0n,
  }).text
}

test('labels, values and what is outside', () => {
  const cases: Readonly<Record<string, string>> = {
    'plain text': 'plain text',
    '{{ $labels.app }} {{ .Labels.app }}': 'web web',
    '[{{ $labels.missing }}]': '[]',
    '{{ $value }} {{ .Value }}': '1.234567e+06 1.234567e+06',
    '{{ printf "%.1f" $value }}': '1234567.0',
    '{{ $externalLabels.region }} {{ .ExternalURL }}': 'eu https://logs.example.org',
    '{{ range $name, $text := $labels }}{{ $name }}={{ $text }};{{ end }}': 'app=web;instance=host.example.org:9100;',
    '{{ if gt $value 10.0 }}high{{ else }}low{{ end }}': 'high',
    '{{ .Lines }}': '[second first]',
    '{{ range .Lines }}<{{ . }}>{{ end }}': '<second><first>',
    '{{ range $i, $line := $lines }}{{ $i }}{{ $line }}{{ end }}': '0second1first',
    '{{ len $lines }}': '2',
    '{{ define "x" }}{{ .arg0 }}-{{ .arg1 }}{{ end }}{{ template "x" (args $labels.app 5) }}': 'web-5',
  }
  for (const [text, wanted] of Object.entries(cases)) assert.equal(expand(text), wanted, text)
})

test('numbers for people', () => {
  const cases: readonly (readonly [string, number, string])[] = [
    ['humanize', 0, '0'],
    ['humanize', 1234567, '1.235M'],
    ['humanize', -999, '-999'],
    ['humanize', 0.00123, '1.23m'],
    ['humanize', Number.NaN, 'NaN'],
    ['humanize', Infinity, '+Inf'],
    ['humanize1024', 1536, '1.5ki'],
    ['humanize1024', 0.5, '0.5'],
    ['humanizeDuration', 0, '0s'],
    ['humanizeDuration', 93_784.9, '1d 2h 3m 4s'],
    ['humanizeDuration', 3661, '1h 1m 1s'],
    ['humanizeDuration', 61.5, '1m 1s'],
    ['humanizeDuration', 1.2345678, '1.235s'],
    ['humanizeDuration', 0.012, '12ms'],
    ['humanizePercentage', 0.1234567, '12.35%'],
    ['humanizeTimestamp', 1435065584.128, '2015-06-23 13:19:44.128 +0000 UTC'],
  ]
  for (const [name, value, wanted] of cases)
    assert.equal(expand(`{{ $value | ${name} }}`, value), wanted, `${name} ${value}`)
})

test('texts', () => {
  const cases: Readonly<Record<string, string>> = {
    '{{ "abc" | toUpper }} {{ "ABC" | toLower }} {{ title "abc" }}': 'ABC abc Abc',
    '{{ stripPort $labels.instance }}': 'host.example.org',
    '{{ stripDomain $labels.instance }}': 'host:9100',
    '{{ stripDomain "10.0.0.1:80" }}': '10.0.0.1:80',
    '{{ match "h.*t" $labels.instance }} {{ match "^x" "ax" }}': 'true false',
    '{{ reReplaceAll "(.*):.*" "$1" $labels.instance }}': 'host.example.org',
    '{{ parseDuration "1h30m" }}': '5400',
  }
  for (const [text, wanted] of Object.entries(cases)) assert.equal(expand(text), wanted, text)
})

test('what cannot be expanded says so in its place; what cannot be parsed is refused before', () => {
  assert.match(expand('{{ .Foo }}'), /^<error expanding template: .*can't evaluate field Foo/)
  assert.match(expand('{{ humanize "x" }}'), /^<error expanding template: .*invalid syntax/)
  assert.match(templateProblem('{{ query "up" }}', 'x') ?? '', /function "query" not defined/)
  assert.match(templateProblem('{{ $labels.app', 'x') ?? '', /error parsing template/)
  assert.equal(templateProblem('{{ $labels.app }} {{ range $lines }}{{ . }}{{ end }}', 'x'), undefined)
})

test('only templates that name lines want them', () => {
  assert.ok(usesLines('{{ range .Lines }}x{{ end }}'))
  assert.ok(usesLines('{{ $lines }}'))
  assert.ok(!usesLines('.Lines'))
  assert.ok(!usesLines('{{ .Linesman }}'))
})
