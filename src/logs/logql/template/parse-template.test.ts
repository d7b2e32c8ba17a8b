import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseTemplate, templateMistake } from './parse-template.ts'

function expectMistakes(cases: Readonly<Record<string, string>>): void {
  for (const [template, message] of Object.entries(cases))
    assert.equal(templateMistake(template), `template: line:${message}`, template)
}

test('actions that are not closed, or not well formed', () => {
  expectMistakes({
    'a\n{{ .x': '2: unclosed action',
    '{{ .x\n\n': '3: unclosed action started at line:1',
    '{{ .x\n"a': '2: unterminated quoted string in action started at line:1',
    '{{ "a }}': '1: unterminated quoted string',
    '{{ `a }}': '1: unterminated raw quoted string',
    "{{ 'a }}": '1: unterminated character constant',
    "{{ 'ab' }}": "1: malformed character constant: 'ab'",
    '{{ "\\q" }}': '1: invalid syntax',
    '{{ 1a }}': '1: bad number syntax: "1a"',
    '{{ 08 }}': '1: integer overflow: "08"',
    '{{ 1i }}': '1: illegal number syntax: "1i"',
    '{{ 9223372036854775808 }}': '1: integer overflow: "9223372036854775808"',
    '{{ .x!y }}': "1: bad character U+0021 '!'",
    '{{ x@ }}': "1: bad character U+0040 '@'",
    '{{ ! }}': '1: unexpected "!" in command',
    '{{ $a ! }}': '1: undefined variable "$a"',
    '{{ .a } }}': '1: unexpected "}" in operand',
    '{{ .a ; }}': '1: unexpected ";" in operand',
    '{{ \u{1F600} }}': "1: unrecognized character in action: U+1F600 '\u{1F600}'",
    '{{ .a : }}': '1: expected :=',
    '{{ (.a }}': '1: unclosed left paren',
    '{{ .a ) }}': '1: unexpected right paren',
    '{{/* a }}': '1: unclosed comment',
    '{{/* a */ x}}': '1: comment ends before closing delimiter',
    '{{ /* a }}': '1: unexpected "/" in command',
  })
})

test('blocks that do not fit, and keywords in wrong places', () => {
  expectMistakes({
    '{{ if .x }}': '1: unexpected EOF',
    '{{ if .x }}{{ else }}': '1: unexpected EOF',
    '{{ end }}': '1: unexpected {{end}}',
    '{{ else }}': '1: unexpected {{else}}',
    '{{ if .x }}{{ else }}{{ else }}{{ end }}': '1: expected end; found {{else}}',
    '{{ range .x }}{{ else if .y }}{{ end }}': '1: unexpected <if> in input',
    '{{ if }}{{ end }}': '1: missing value for if',
    '{{ range }}{{ end }}': '1: missing value for range',
    '{{ end .x }}': '1: unexpected ".x" in end',
    '{{ if .x }}{{ else .y }}{{ end }}': '1: unexpected ".y" in else',
    '{{ break }}': '1: {{break}} outside {{range}}',
    '{{ continue }}': '1: {{continue}} outside {{range}}',
    '{{ range .x }}{{ break 1 }}{{ end }}': '1: unexpected "1" in {{break}}',
    '{{ range .x }}{{ define "t" }}{{ end }}{{ end }}': '1: unexpected <define> in command',
    '{{ define "t" }}{{ break }}{{ end }}': '1: {{break}} outside {{range}}',
    '{{ define x }}{{ end }}': '1: unexpected "x" in define clause',
    '{{ define "t" }}': '1: unexpected EOF',
    '{{ define "t" }}{{ else }}': '1: unexpected {{else}} in define clause',
    '{{ template x }}': '1: unexpected "x" in template clause',
    '{{ block "b" }}{{ end }}': '1: missing value for block clause',
    '{{ averyveryverylongname }}': '1: function "averyveryverylongname" not defined',
    '{{ end averyveryverylongname }}': '1: unexpected "averyveryv"... in end',
  })
})

test('pipes', () => {
  expectMistakes({
    '{{ }}': '1: missing value for command',
    '{{ foo }}': '1: function "foo" not defined',
    '{{ $x }}': '1: undefined variable "$x"',
    '{{ if .a }}{{ $x := 1 }}{{ end }}{{ $x }}': '1: undefined variable "$x"',
    '{{ define "t" }}{{ $x }}{{ end }}': '1: undefined variable "$x"',
    '{{ () }}': '1: missing value for parenthesized pipeline',
    '{{ .a | 5 }}': '1: non executable command in pipeline stage 2',
    '{{ .a | upper | "x" }}': '1: non executable command in pipeline stage 3',
    '{{ | .a }}': '1: unexpected "|" in command',
    '{{ $x, $y := .a }}': '1: too many declarations in command',
    '{{ range $x, 1 := .a }}{{ end }}': '1: range can only initialize variables',
    '{{ range $x, $y, $z := .a }}{{ end }}': '1: too many declarations in range',
    '{{ "x".a }}': '1: unexpected . after term "\\"x\\""',
    '{{ ..a }}': '1: unexpected . after term "."',
  })
})

test('what Go accepts is accepted', () => {
  for (const template of [
    '{{ $x := .a }}{{ $x.b.c }}',
    '{{ $x = 1 }}',
    '{{- .a -}}',
    '{{-1}}',
    '{{ (((.a))).b }}',
    '{{ range $i, $v := .a }}{{ else }}{{ end }}',
    '{{ with .a }}{{ else with .b }}{{ end }}',
    '{{"a"|printf "%s" }}',
    '{{ and\n.a\n.b }}',
    '{{ 1 }}}}',
    '{ {{ 1 }} }',
  ])
    assert.equal(templateMistake(template), undefined, template)
})

test('a template that is defined twice counts as it was defined last, unless that is empty', () => {
  const { named } = parseTemplate(
    '{{ define "a" }}1{{ end }}{{ define "a" }} {{ end }}{{ define "b" }}1{{ end }}{{ define "b" }}2{{ end }}',
  )
  assert.deepEqual(
    [...named.values()].map(([node]) => node?.kind === 'text' && node.text),
    ['1', '2'],
  )
})

test('nesting is bounded', () => {
  assert.match(templateMistake('{{ if 1 }}'.repeat(101) + '{{ end }}'.repeat(101)) ?? '', /nest deeper than 100/)
  assert.match(templateMistake(`{{ ${'('.repeat(5000)}1${')'.repeat(5000)} }}`) ?? '', /nest deeper than 100/)
})
