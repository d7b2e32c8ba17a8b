import assert from 'node:assert/strict'
import { test } from 'node:test'
import { functions } from './functions.ts'
import { signatures } from './signatures.ts'
import { expectAll, expectFailures, run } from './template-fixture.ts'
import { TemplateFailure } from './values.ts'

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
  assert.throws(() => run('{{ duration "1d" }}'), /unknown unit "d"/)
})

test('text functions at their edges', () => {
  expectAll({
    '{{ title "it\'s a-b c_d 1x" }} {{ title "élan vital" }}': "It'S A-B C_d 1x Élan Vital",
    '{{ upper "straße" }} {{ lower "ΑΣ İ" }} {{ ToUpper "ﬁ" }}': 'STRAßE ασ i ﬁ',
    '[{{ trim "\\u0085\\u00a0 x\\u2003" }}] [{{ TrimSpace "\\ufeffx" }}]': '[x] [\ufeffx]',
    '{{ Replace "aaa" "a" "b" 0 }} {{ Replace "aaa" "a" "b" -1 }} {{ replace "a" "" "banana" }}': 'aaa bbb bnn',
    '{{ Replace "äö" "" "-" 2 }} {{ replace "x" "y" "" }}': '-ä-ö ',
    '{{ trunc 0 "abc" }}|{{ trunc -9 "abc" }}|{{ trunc -3 "abc" }}|{{ trunc 3.0 "abcd" }}': '|abc|abc|abc',
    '{{ substr 0 0 "abc" }}|{{ substr 3 -1 "abc" }}|{{ substr -1 0 "abc" }}|{{ substr 1 1 "abc" }}': '|||',
    '{{ alignLeft 0 "abc" }}|{{ alignRight 0 "abc" }}|{{ alignRight -2 "a" }}|{{ alignRight 3 "é" }}': '||a|  é',
    '{{ indent 0 "a\\nb" }}|{{ nindent 2 "a\\nb" }}|{{ repeat 0 "a" }}': 'a\nb|\n  a\n  b|',
    '{{ default "d" 0 }} {{ default "d" false }} {{ default "d" nil }} {{ default "d" (fromJson "[]") }} {{ default "d" }}':
      'd d d d d',
    '{{ default "d" 0.0 }} {{ default "d" "0" }}': 'd 0',
    '{{ contains "" "a" }} {{ hasPrefix "" "" }} {{ hasSuffix "bc" "abc" }}': 'true true true',
    '{{ trimAll "-" "--a-b--" }} {{ TrimLeft "éèx" "éè" }} {{ trimSuffix "" "a" }} {{ trimPrefix "ab" "ab" }}|':
      'a-b x a |',
    '{{ regexReplaceAll "(a)(b)?" "ab a" "[$1$2$3$9$0]" }}': '[abab] [aa]',
    '{{ regexReplaceAll "a" "a" "$x$$1 $1x ${1}x $" }}': '$1  x $',
    '{{ regexReplaceAll "(?i)É" "éÉ" "e" }} {{ regexReplaceAll `\\bx` "x xx" "y" }}': 'ee y yx',
    '{{ regexReplaceAll "^" "ab" "-" }} {{ regexReplaceAll "" "\\U0001F600b" "-" }}': '-ab -\u{1F600}-b-',
    '{{ count "[aeiou]" "education" }} {{ count "x*" "axxb" }}': '5 3',
    '{{ urlencode "é+/~*()\'!" }}': '%C3%A9%2B%2F~%2A%28%29%27%21',
    '{{ b64dec "aGk" }} {{ b64dec "aGk=" }} {{ b64dec "a" }} {{ b64enc "" }}|':
      'hi hi illegal base64 data at input byte 1 |',
    '{{ html "a\\x00<" }} {{ js "\\n<é>\\u2028&=" }} {{ urlquery "a" 1 2 "b" }}':
      'a\ufffd&lt; \\u000A\\u003Cé\\u003E\\u2028\\u0026\\u003D a1+2b',
    '{{ println }}{{ println 1 "a" nil }}{{ print 1.5 true "x" 2 }}': '\n1 a <nil>\n1.5 truex2',
  })
  expectFailures({
    '{{ urldecode "%zz" }}':
      'template: line:1:3: executing "line" at <urldecode "%zz">: error calling urldecode: invalid URL escape "%zz"',
    '{{ repeat -1 "a" }}':
      'template: line:1:3: executing "line" at <repeat -1 "a">: error calling repeat: strings: negative Repeat count',
    '{{ substr -1 9 "abc" }}':
      'template: line:1:3: executing "line" at <substr -1 9 "abc">: error calling substr: runtime error: slice bounds out of range [:9] with length 3',
    '{{ substr 2 1 "abc" }}':
      'template: line:1:3: executing "line" at <substr 2 1 "abc">: error calling substr: runtime error: slice bounds out of range [2:1]',
    '{{ regexReplaceAll "(" "a" "b" }}':
      'template: line:1:3: executing "line" at <regexReplaceAll "(" "a" "b">: error calling regexReplaceAll: error parsing regexp: missing closing ): `(`',
  })
})

test('number functions at their edges', () => {
  expectAll({
    '{{ int "0b11" }} {{ int "1_000" }} {{ int "12.00" }} {{ int "1.5" }} {{ int -3.9 }} {{ int true }} {{ int nil }} {{ int "" }}':
      '3 1000 12 0 -3 1 0 0',
    '{{ int "9223372036854775807" }} {{ int "9223372036854775808" }} {{ int "08" }}': '9223372036854775807 0 0',
    '{{ float64 "1e3" }} {{ float64 "inf" }} {{ float64 "0x1p4" }} {{ float64 7 }} {{ float64 false }}':
      '1000 +Inf 16 7 0',
    '{{ add }} {{ add 9223372036854775807 1 }} {{ mul 4611686018427387904 2 }} {{ add "1" 2.9 true }}':
      '0 -9223372036854775808 -9223372036854775808 4',
    '{{ div -7 2 }} {{ mod -7 2 }} {{ sub "1" 2 }} {{ div "x" 5 }}': '-3 -1 -1 0',
    '{{ addf }} {{ addf 1.1 "2.2" }} {{ subf 1 0.9 }} {{ divf 10 4 }} {{ divf 2 3 }} {{ mulf "x" 5 }}':
      '0 3.3 0.1 2.5 0.6666666666666667 0',
    '{{ max 1 }} {{ max 1 "7" 3.9 }} {{ min -1 "x" }} {{ maxf 1 "2.5" }} {{ minf 1 }}': '1 7 -1 2.5 1',
    '{{ ceil -1.5 }} {{ floor "-1.5" }} {{ round -1.5 0 }} {{ round 123.5555 3 }} {{ round 0.05 1 0.6 }} {{ round 1234 -2 }}':
      '-1 -2 -2 123.556 0 1200',
    '{{ bytes "1.5 MiB" }} {{ bytes "1,024" }} {{ bytes "7" }} {{ duration "1h2m3.5s" }} {{ duration "-1ms" }} {{ duration "0" }}':
      '1.572864e+06 1024 7 3723.5 -0.001 0',
  })
  expectFailures({
    '{{ bytes "x" }}':
      'template: line:1:3: executing "line" at <bytes "x">: error calling bytes: strconv.ParseFloat: parsing "": invalid syntax',
    '{{ bytes "5 zz" }}':
      'template: line:1:3: executing "line" at <bytes "5 zz">: error calling bytes: unhandled size name: zz',
    '{{ mod 1 0 }}':
      'template: line:1:3: executing "line" at <mod 1 0>: error calling mod: runtime error: integer divide by zero',
    '{{ round 1.5 "x" }}': 'template: line:1:13: executing "line" at <"x">: expected integer; found "x"',
  })
})

test('each function has a signature and code, but for those that the evaluation itself runs', () => {
  const own = ['and', 'or', 'call']
  assert.deepEqual(Object.keys(signatures).toSorted(), [...Object.keys(functions), ...own].toSorted())
})
