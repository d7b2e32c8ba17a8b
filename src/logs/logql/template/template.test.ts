import assert from 'node:assert/strict'
import { test } from 'node:test'
import { functionArity } from './function-names.ts'
import { checkEvaluated, executeTemplate, MAX_TEMPLATE_OUTPUT } from './execute-template.ts'
import { functions, lazyFunctions } from './functions.ts'
import { parseTemplate, templateMistake } from './parse-template.ts'
import { TemplateFailure } from './values.ts'

type Labels = Readonly<Record<string, string>>
const labels: Labels = { app: 'web', status: '200', empty: '', path: '/a b', json: '{"a":[1,"x"],"b":null,"c":1.5}' }

function run(text: string, data: Labels = labels): string {
  const template = parseTemplate(text)
  checkEvaluated(template)
  return executeTemplate(template, {
    label: (name) => data[name],
    labels: () => new Map(Object.entries(data)),
    line: () => 'the line',
    timestampNs: () => 1_704_207_845_123_000_000n,
  })
}

function expectAll(cases: Readonly<Record<string, string>>): void {
  for (const [template, output] of Object.entries(cases)) assert.equal(run(template), output, template)
}

test('text, fields, missing labels, comments and trim markers', () => {
  expectAll({
    'plain { } text': 'plain { } text',
    '{{.app}}-{{ .status }}': 'web-200',
    '[{{.nothing}}]': '[]',
    'a {{/* not shown */}} b': 'a  b',
    'a {{- .app -}} b': 'awebb',
    'a {{- /* gone */ -}} b': 'ab',
    '{{ "}}" }}': '}}',
    '{{ `raw\\n` }}{{ "\\t" }}': 'raw\\n\t',
    '{{ . }}': 'map[app:web empty: json:{"a":[1,"x"],"b":null,"c":1.5} path:/a b status:200]',
  })
})

test('the piped value is the last argument', () => {
  expectAll({
    '{{ .app | upper }}': 'WEB',
    '{{ .app | replace "w" "v" | printf "%s-%s" "x" }}': 'x-veb',
    '{{ (printf "%s" .app) | len }}': '3',
    '{{ upper .app | lower | title }}': 'Web',
  })
})

test('variables, conditions, loops, and templates in templates', () => {
  expectAll({
    '{{ $x := .app }}{{ $x }}{{ $x = "y" }}{{ $x }}': 'weby',
    '{{ if .empty }}a{{ else if eq .app "web" }}b{{ else }}c{{ end }}': 'b',
    '{{ if not .empty }}a{{ end }}': 'a',
    '{{ with .app }}<{{ . }}>{{ end }}{{ with .empty }}x{{ else }}none{{ end }}': '<web>none',
    '{{ $x := 1 }}{{ if true }}{{ $x := 2 }}{{ $x }}{{ end }}{{ $x }}': '21',
    '{{ range $i, $v := (fromJson .json).a }}{{ $i }}={{ $v }};{{ end }}': '0=1;1=x;',
    '{{ range $k, $v := fromJson "{\\"b\\":1,\\"a\\":2}" }}{{ $k }}{{ $v }} {{ end }}': 'a2 b1 ',
    '{{ range fromJson "[]" }}x{{ else }}none{{ end }}': 'none',
    '{{ range 5 }}{{ if eq . 1 }}{{ continue }}{{ end }}{{ if eq . 3 }}{{ break }}{{ end }}{{ . }}{{ end }}': '02',
    '{{ define "t" }}({{ . }}){{ end }}{{ template "t" .app }}{{ block "b" .status }}[{{ . }}]{{ end }}': '(web)[200]',
    '{{ range $v := fromJson "[1,2]" }}{{ $.app }}{{ $v }}{{ end }}': 'web1web2',
  })
})

test('literals of all kinds', () => {
  expectAll({
    "{{ 1 }} {{ 0x10 }} {{ -3 }} {{ 1.50 }} {{ 1e6 }} {{ true }} {{ 'a' }}": '1 16 -3 1.5 1e+06 true 97',
    '{{ 1e5 }} {{ 0.0001 }} {{ 0.00001 }} {{ 3.0 }}': '100000 0.0001 1e-05 3',
    '{{ print nil }}': '<no value>',
  })
})

test('and, or return the argument that decides and do not look at the rest', () => {
  expectAll({
    '{{ and .app .empty }}|{{ or .empty .app }}|{{ and 1 2 }}|{{ or 0 "" }}|': '|web|2||',
    '{{ or true (index "a" 5) }}': 'true',
    '{{ and false (index "a" 5) }}': 'false',
  })
})

test('comparisons are between values of one kind', () => {
  expectAll({
    '{{ eq .status "100" "200" }} {{ ne 1 2 }} {{ lt 1 2 }} {{ le 2 2 }} {{ gt "b" "a" }} {{ ge 1.5 2.5 }}':
      'true true true true true false',
    '{{ if gt (int .status) 199 }}high{{ end }}': 'high',
  })
  assert.throws(() => run('{{ if gt .status 199 }}x{{ end }}'), /incompatible types for comparison/)
  assert.throws(() => run('{{ eq 1 1.0 }}'), TemplateFailure)
})

test('built-in functions', () => {
  expectAll({
    '{{ len .app }} {{ len (fromJson .json).a }} {{ index (fromJson .json).a 1 }} {{ index . "app" }}': '3 2 x web',
    '{{ slice .app 1 2 }} {{ slice .app 1 }}': 'e eb',
    '{{ print "a" 1 2 "b" }} {{ print 1 2 }}{{ println "a" 1 }}': 'a1 2b 1 2a 1\n',
    '{{ html "<a href=\'x\'>&" }} {{ urlquery "a b/c!" }} {{ js "it\'s" }}':
      "&lt;a href=&#39;x&#39;&gt;&amp; a+b%2Fc%21 it\\'s",
    '{{ printf "%5.2f|%-5s|%05d|%x|%q|%v|%t|%%|%+d|%e" 3.14159 "ab" 42 255 "q" 1.5 true 3 1234.5 }}':
      ' 3.14|ab   |00042|ff|"q"|1.5|true|%|+3|1.234500e+03',
    '{{ printf "%d" "x" }} {{ printf "%s" }} {{ printf "a" 1 }}': '%!d(string=x) %!s(MISSING) a%!(EXTRA int=1)',
  })
})

test('functions on text', () => {
  expectAll({
    '{{ ToLower "AB" }}{{ ToUpper "ab" }}{{ Replace "aaa" "a" "b" 2 }}{{ Replace "ab" "" "-" -1 }}': 'abABbba-a-b-',
    '{{ Trim "xxaxx" "x" }}{{ TrimLeft "xax" "x" }}{{ TrimRight "xax" "x" }}{{ TrimSpace " a " }}': 'aaxxaa',
    '{{ TrimPrefix "abc" "a" }}{{ TrimSuffix "abc" "c" }}{{ trimPrefix "a" "abc" }}{{ trimSuffix "c" "abc" }}':
      'bcabbcab',
    '{{ lower "A" }}{{ upper "a" }}{{ title "hello big world" }}{{ trim "  x " }}{{ trimAll "$" "$5$" }}':
      'aAHello Big Worldx5',
    '{{ trunc 3 "abcdef" }} {{ trunc -3 "abcdef" }} {{ trunc 9 "abc" }}': 'abc def abc',
    '{{ substr 1 3 "abcdef" }} {{ substr -1 2 "abc" }} {{ substr 1 -1 "abc" }} {{ substr 1 99 "abc" }}': 'bc ab bc bc',
    '{{ contains "b" "abc" }} {{ hasPrefix "a" "abc" }} {{ hasSuffix "x" "abc" }}': 'true true false',
    '{{ indent 2 "a\\nb" }}|{{ nindent 1 "a" }}|{{ repeat 3 "ab" }}': '  a\n  b|\n a|ababab',
    '{{ alignLeft 5 "abc" }}|{{ alignLeft 2 "abc" }}|{{ alignRight 5 "abc" }}|{{ alignRight 2 "äöü" }}|{{ alignLeft -1 "a" }}':
      'abc  |ab|  abc|öü|a',
    '{{ default "d" .empty }} {{ default "d" .app }} {{ .nothing | default "n" }}': 'd web n',
    '{{ regexReplaceAll "(\\\\w+) (\\\\w+)" "a b, c d" "${2}-$1" }}': 'b-a, d-c',
    '{{ regexReplaceAll "(?P<x>a)" "banana" "[$x]" }}': 'b[a]n[a]n[a]',
    '{{ regexReplaceAllLiteral "a" "banana" "$1" }} {{ count "a." "banana" }} {{ count "" "ab" }}': 'b$1n$1n$1 2 3',
    '{{ regexReplaceAll "a*" "baac" "x" }}': 'xbxcx',
    '{{ urlencode "a b&c/ü" }} {{ urldecode "a+b%26c%C3%BC" }}': 'a+b%26c%2F%C3%BC a b&cü',
    '{{ b64enc "hi there" }} {{ b64dec "aGkgdGhlcmU" }} {{ b64dec "!!" }}':
      'aGkgdGhlcmU= hi there illegal base64 data at input byte 0',
    '{{ (fromJson .json).c }} {{ (fromJson .json).b }} {{ fromJson "bad" }}': '1.5 <no value> <no value>',
  })
})

test('functions on numbers', () => {
  expectAll({
    '{{ bytes "2KB" }} {{ bytes "1KiB" }} {{ duration "1m30s" }} {{ duration_seconds "250ms" }}': '2000 1024 90 0.25',
    '{{ int "12" }} {{ int "0x10" }} {{ int "010" }} {{ int "x" }} {{ int 3.9 }} {{ float64 "1.5" }} {{ float64 "x" }}':
      '12 16 8 0 3 1.5 0',
    '{{ add 1 2 3 }} {{ add "4" 5 }} {{ mul 2 3 }} {{ sub 5 7 }} {{ div 7 2 }} {{ mod 7 3 }}': '6 9 6 -2 3 1',
    '{{ addf 0.1 0.2 }} {{ subf 0.3 0.1 }} {{ mulf 1.1 1.1 }} {{ divf 1 4 }} {{ divf 1 3 }}':
      '0.3 0.2 1.21 0.25 0.3333333333333333',
    '{{ max 1 3 2 }} {{ min 3 1 2 }} {{ maxf 1.5 2.5 }} {{ minf 1.5 2.5 }}': '3 1 2.5 1.5',
    '{{ ceil 1.2 }} {{ floor 1.8 }} {{ round 1.234 2 }} {{ round 1.235 2 }} {{ round 2.5 0 0.6 }} {{ round 2.7 0 0.6 }}':
      '2 1 1.23 1.24 2 3',
  })
  assert.throws(() => run('{{ div 1 0 }}'), /divide by zero/)
  assert.throws(() => run('{{ bytes "x" }}'), TemplateFailure)
  assert.throws(() => run('{{ duration "1d" }}'), /invalid duration/)
})

test('the entry: line and time', () => {
  expectAll({
    '{{ __line__ | upper }}': 'THE LINE',
    '{{ __timestamp__ }}': '2024-01-02 15:04:05.123 +0000 UTC',
    '{{ __timestamp__ | unixEpoch }} {{ unixEpochMillis __timestamp__ }} {{ unixEpochNanos __timestamp__ }}':
      '1704207845 1704207845123 1704207845123000000',
    '{{ unixToTime "1704207845123" }}': '2024-01-02 15:04:05.123 +0000 UTC',
  })
})

test('mistakes are found before anything runs', () => {
  const cases: Readonly<Record<string, string>> = {
    '{{ foo }}': 'template: line:1: function "foo" not defined',
    'a\n{{ .x': 'template: line:2: unclosed action',
    '{{ if .x }}': 'template: line:1: unexpected EOF',
    '{{ end }}': 'template: line:1: unexpected {{end}}',
    '{{ else }}': 'template: line:1: unexpected {{else}}',
    '{{ }}': 'template: line:1: missing value for command',
    '{{ $x }}': 'template: line:1: undefined variable "$x"',
    '{{ "a }}': 'template: line:1: unterminated quoted string',
    '{{ (.a }}': 'template: line:1: unclosed left paren',
    '{{ .a ) }}': 'template: line:1: unexpected right paren in command',
    '{{ /* a }}': 'template: line:1: unexpected "/" in command',
    '{{/* a }}': 'template: line:1: unclosed comment',
    '{{ break }}': 'template: line:1: {{break}} outside {{range}}',
    '{{ .a | }}': 'template: line:1: missing value for command',
    '{{ .a | 5 }}': 'template: line:1: non executable command in pipeline stage 2',
  }
  for (const [template, message] of Object.entries(cases)) assert.equal(templateMistake(template), message, template)
  assert.match(templateMistake('{{ if 1 }}'.repeat(101) + '{{ end }}'.repeat(101)) ?? '', /nest deeper than 100/)
})

test('what goes wrong while running is a failure of the template, not of the engine', () => {
  assert.throws(() => run('{{ .app.x }}'), /can't evaluate field x in type string/)
  assert.throws(() => run('{{ upper 5 }}'), /expected string; got int/)
  assert.throws(() => run('{{ upper }}'), /wrong number of args for upper/)
  assert.throws(() => run('{{ substr 9 -1 "abc" }}'), TemplateFailure)
  assert.throws(() => run('{{ template "none" }}'), /not defined/)
  assert.throws(() => run('{{ regexReplaceAll "(" "a" "b" }}'), /error parsing regexp/)
})

test('output, steps and recursion are bounded', () => {
  assert.throws(() => run(`{{ range 100000 }}{{ repeat 1000 "x" }}{{ end }}`), /longer than/)
  assert.throws(() => run('{{ range 1000 }}{{ range 1000 }}{{ end }}{{ end }}'), /more than 100000 steps/)
  assert.throws(() => run('{{ define "t" }}{{ template "t" }}{{ end }}{{ template "t" }}'), /call each other deeper/)
  assert.throws(() => run(`{{ repeat ${MAX_TEMPLATE_OUTPUT + 1} "x" }}`), TemplateFailure)
  assert.throws(() => run('{{ printf "%99999999d" 1 | len }}{{ range 10000000 }}{{ end }}'), TemplateFailure)
})

test('each function of the language either runs or is refused by name', () => {
  const known = new Set([...Object.keys(functions), ...lazyFunctions])
  for (const name of known) assert.ok(name in functionArity, name)
  const refused = Object.keys(functionArity).filter((name) => !known.has(name))
  for (const name of refused) {
    const template = parseTemplate(`{{ if 1 }}{{ ${name} }}{{ end }}`)
    assert.throws(() => checkEvaluated(template), {
      name: 'BadRequest',
      message: `template function '${name}' is parsed but not evaluated yet`,
    })
  }
  assert.deepEqual(refused, ['now', 'date', 'toDate', 'toDateInZone'])
})
