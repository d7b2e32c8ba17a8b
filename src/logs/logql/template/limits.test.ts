import assert from 'node:assert/strict'
import { test } from 'node:test'
import { enableLinearRegex } from '#/platform/regex/linear.ts'
import { LIMITS } from './limits.ts'
import { failureOf, run } from './template-fixture.ts'

enableLinearRegex()

const bombs: Readonly<Record<string, RegExp>> = {
  '{{ range 100000 }}{{ repeat 1000 "x" }}{{ end }}': /longer than|more than/,
  '{{ range 1000 }}{{ range 1000 }}{{ end }}{{ end }}': /more than 100000 steps/,
  '{{ range 9223372036854775807 }}{{ end }}': /more than 100000 steps/,
  '{{ define "t" }}{{ template "t" }}{{ end }}{{ template "t" }}': /exceeded maximum template depth \(100\)/,
  '{{ define "t" }}{{ template "t" }}{{ template "t" }}{{ end }}{{ template "t" }}': /exceeded maximum template depth/,
  '{{ repeat 1000000000 "x" }}': /longer than/,
  '{{ repeat 9223372036854775807 "x" }}': /longer than/,
  '{{ $x := repeat 1000000 "x" }}{{ range 99999 }}{{ $y := upper $x }}{{ end }}': /more than 100000 steps/,
  '{{ $x := repeat 1000000 "x" }}{{ range 99999 }}{{ if contains "y" $x }}{{ end }}{{ end }}': /more than 100000 steps/,
  '{{ printf "%1000000d%1000000d" 1 2 }}': /longer than/,
  '{{ indent 1000000 (repeat 1000 "\\n") }}': /longer than/,
  '{{ nindent 99999999 "x" }}': /longer than/,
  '{{ alignLeft 1000000000 "x" }}': /longer than/,
  '{{ alignRight 1000000000 "x" }}': /longer than/,
  '{{ replace "" (repeat 10000 "x") (repeat 10000 "y") }}': /longer than/,
  '{{ $x := "ab" }}{{ range 40 }}{{ $x = printf "%s%s" $x $x }}{{ end }}': /longer than/,
  '{{ $x := "ab" }}{{ range 40 }}{{ $x = print $x $x }}{{ end }}': /longer than/,
  '{{ regexReplaceAll "a" (repeat 100000 "a") "$0$0$0$0$0$0$0$0$0$0$0$0" }}': /longer than|more than/,
  '{{ count "" (repeat 1000000 "a") }}': /more than 100000 steps/,
  '{{ range 99999 }}{{ $x := regexReplaceAll "(a*)*b" (repeat 10000 "a") "" }}{{ end }}': /more than 100000 steps/,
  '{{ html (repeat 1000000 "<") }}': /longer than/,
  '{{ urlencode (repeat 1000000 "<") }}': /longer than/,
  '{{ js (repeat 1000000 "<") }}': /longer than/,
  '{{ b64enc (repeat 1000000 "<") }}': /longer than/,
  '{{ $x := printf "[%s0]" (repeat 500000 "0,") }}{{ range 9999 }}{{ $y := fromJson $x }}{{ end }}':
    /longer than|more than/,
}

test('nothing that a template asks for can hang the thread or fill the memory', () => {
  for (const [template, cause] of Object.entries(bombs)) assert.match(failureOf(template), cause, template)
})

test('deep values and deep blocks fail instead of exhausting the stack', () => {
  assert.equal(run('{{ fromJson (printf "%s%s" (repeat 100000 "[") (repeat 100000 "]")) }}'), '<no value>')
  const nested = `${'{{ if true }}'.repeat(95)}{{ template "t" }}${'{{ end }}'.repeat(95)}`
  assert.match(failureOf(`{{ define "t" }}${nested}{{ end }}{{ template "t" }}`), /nested deeper than 500/)
})

test('what stays below the limits runs', () => {
  assert.equal(run(`{{ repeat ${LIMITS.output} "x" }}`).length, LIMITS.output)
  assert.equal(run('{{ range 10000 }}.{{ end }}').length, 10_000)
})
