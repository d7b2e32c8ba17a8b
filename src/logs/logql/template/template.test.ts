import assert from 'node:assert/strict'
import { test } from 'node:test'
import { expectAll, expectFailures, failureOf, run } from './template-fixture.ts'
import { TemplateFailure } from './values.ts'

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
    '{{ print nil }} {{ (fromJson .json).b }} {{ html nil }}': '<nil> <no value> &lt;no value&gt;',
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

test('scopes, assignments and else branches', () => {
  expectAll({
    '{{ $x := 1 }}{{ range $x := fromJson "[2,3]" }}{{ $x }}{{ end }}{{ $x }}': '231',
    '{{ $x := 1 }}{{ range $i := 3 }}{{ $x = add $x $i }}{{ end }}{{ $x }}': '4',
    '{{ range $i, $v := "" | default (fromJson "[7]") }}{{ $i }}{{ $v }}{{ else }}none{{ end }}': '07',
    '{{ range $k, $v := . }}{{ if eq $k "app" }}{{ $v }}{{ end }}{{ end }}': 'web',
    '{{ with $x := .app }}{{ $x }}{{ end }}{{ with .none }}a{{ else with .status }}{{ . }}{{ else }}c{{ end }}':
      'web200',
    '{{ if $x := .empty }}a{{ else }}[{{ $x }}]{{ end }}': '[]',
    '{{ define "a" }}{{ block "b" . }}b{{ end }}{{ end }}{{ template "a" }}': 'b',
    '{{ define "t" }}{{ $.app }}{{ end }}{{ template "t" . }}{{ template "t" }}': 'web<no value>',
    '{{ range 2 }}{{ range 2 }}{{ break }}{{ end }}{{ . }}{{ end }}{{ range fromJson "" }}x{{ end }}': '01',
    '{{ index . "none" }}|{{ len . }}|{{ (index (fromJson "[{\\"a\\":5}]") 0).a }}': '|5|5',
    '{{ slice (fromJson "[1,2,3]") 1 }} {{ slice "abc" 0 2 | len }} {{ index "abc" 1 }}': '[2 3] 2 98',
    '{{ .a | }}{{ "x" }}': 'x',
    "{{ 0x1p4 }} {{ 1_000 }} {{ 0b11 }} {{ 0o17 }} {{ 017 }} {{ '\\n' }} {{ .5 }}": '16 1000 3 15 15 10 0.5',
    'a{{/* x */ -}}  b{{- 1 -}}  c': 'ab1c',
    '{{ "a\\x41\\u00e9" }}{{ `\\` }}': 'aAé\\',
  })
})

test('maps and lists print sorted and nested, nil in them as <nil>', () => {
  expectAll({
    '{{ fromJson "{\\"b\\":[1,null,{\\"c\\":true}],\\"a\\":1e6}" }}': 'map[a:1e+06 b:[1 <nil> map[c:true]]]',
    '{{ fromJson "[]" }} {{ fromJson "null" }} {{ fromJson "\\"s\\"" }} {{ fromJson "1 2" }}':
      '[] <no value> s <no value>',
    '{{ range $k, $v := fromJson "{\\"z\\":1,\\"a\\":2,\\"M\\":3}" }}{{ $k }}{{ end }}': 'Maz',
  })
})

test('comparison: NaN, nil, several, wrong kinds', () => {
  expectAll({
    '{{ eq 1 2 1 }} {{ eq nil (fromJson "null") }} {{ ne .app "web" }} {{ eq true true }}': 'true true false true',
    '{{ $n := float64 "NaN" }}{{ lt $n 1.0 }} {{ gt $n 1.0 }} {{ ge $n 1.0 }} {{ eq $n $n }} {{ if $n }}y{{ end }}':
      'false true true false y',
    '{{ eq __timestamp__ (unixToTime "1704207845123") }}': 'true',
  })
  expectFailures({
    '{{ lt .app 1 }}':
      'template: line:1:3: executing "line" at <lt .app 1>: error calling lt: incompatible types for comparison',
    '{{ lt true false }}':
      'template: line:1:3: executing "line" at <lt true false>: error calling lt: invalid type for comparison',
    '{{ eq 1 1.0 }}':
      'template: line:1:3: executing "line" at <eq 1 1.0>: error calling eq: incompatible types for comparison',
    '{{ eq 1 }}': 'template: line:1:3: executing "line" at <eq 1>: error calling eq: missing argument for comparison',
  })
})

test('failures name the place, the template and the cause as Go does', () => {
  expectFailures({
    '{{ .app.x }}': 'template: line:1:7: executing "line" at <.app.x>: can\'t evaluate field x in type string',
    'é\n{{ div 1 0 }}':
      'template: line:2:3: executing "line" at <div 1 0>: error calling div: runtime error: integer divide by zero',
    'é {{ .app | div 1 }}':
      'template: line:1:13: executing "line" at <div 1>: error calling div: runtime error: integer divide by zero',
    '{{ upper 5 }}': 'template: line:1:9: executing "line" at <5>: expected string; found 5',
    '{{ upper nil }}': 'template: line:1:9: executing "line" at <nil>: cannot assign nil to string',
    '{{ (len .app) | upper }}':
      'template: line:1:16: executing "line" at <upper>: wrong type for value; expected string; got int',
    '{{ upper (fromJson .json).b }}':
      'template: line:1:25: executing "line" at <(fromJson .json).b>: invalid value; expected string',
    '{{ upper }}': 'template: line:1:3: executing "line" at <upper>: wrong number of args for upper: want 1 got 0',
    '{{ and }}': 'template: line:1:3: executing "line" at <and>: wrong number of args for and: want at least 1 got 0',
    '{{ trunc "x" .app }}': 'template: line:1:9: executing "line" at <"x">: expected integer; found "x"',
    '{{ unixEpoch "x" }}':
      'template: line:1:13: executing "line" at <"x">: can\'t handle "x" for arg of type time.Time',
    '{{ template "none" . }}':
      'template: line:1:12: executing "line" at <{{template "none" .}}>: template "none" not defined',
    '{{ define "t" }}{{ substr 9 -1 . }}{{ end }}{{ template "t" .app }}':
      'template: line:1:19: executing "t" at <substr 9 -1 .>: error calling substr: runtime error: slice bounds out of range [9:3]',
    '{{ $x = 1 }}': 'template: line:1:8: executing "line" at <1>: undefined variable: $x',
    '{{ nil }}': 'template: line:1:3: executing "line" at <nil>: nil is not a command',
    '{{ .app 1 }}': 'template: line:1:3: executing "line" at <.app>: app is not a method but has arguments',
    '{{ 1 | .app }}': 'template: line:1:7: executing "line" at <.app>: app is not a method but has arguments',
    '{{ 3 4 }}': 'template: line:1:3: executing "line" at <3>: can\'t give argument to non-function 3',
    '{{ range .app }}{{ end }}': 'template: line:1:9: executing "line" at <.app>: range can\'t iterate over web',
    '{{ (fromJson .json).b.c }}':
      'template: line:1:19: executing "line" at <(fromJson .json).b.c>: nil pointer evaluating interface {}.c',
    '{{ call .app }}':
      'template: line:1:3: executing "line" at <call .app>: error calling call: non-function .app of type string',
    '{{ index .app 9 }}':
      'template: line:1:3: executing "line" at <index .app 9>: error calling index: index out of range: 9',
    '{{ index .app "a" }}':
      'template: line:1:3: executing "line" at <index .app "a">: error calling index: cannot index slice/array with type string',
    '{{ index . 1 }}':
      'template: line:1:3: executing "line" at <index . 1>: error calling index: value has type int; should be string',
    '{{ index 5 1 }}':
      'template: line:1:3: executing "line" at <index 5 1>: error calling index: can\'t index item of type int',
    '{{ slice .app 2 1 }}':
      'template: line:1:3: executing "line" at <slice .app 2 1>: error calling slice: invalid slice index: 2 > 1',
    '{{ len 5 }}': 'template: line:1:3: executing "line" at <len 5>: error calling len: len of type int',
    '{{ duration "1d" }}':
      'template: line:1:3: executing "line" at <duration "1d">: error calling duration: time: unknown unit "d" in duration "1d"',
    '{{ duration "5" }}':
      'template: line:1:3: executing "line" at <duration "5">: error calling duration: time: missing unit in duration "5"',
  })
})

test('a failure in the middle of one piped line does not name what stands behind it', () => {
  assert.match(
    failureOf('{{ if (eq (int .status) 200) }}{{ div 1 0 | add 1 }}{{ end }}'),
    /:1:34: .* at <div 1 0>: error calling div/,
  )
  assert.throws(() => run('{{ div 1 0 }}'), TemplateFailure)
})
