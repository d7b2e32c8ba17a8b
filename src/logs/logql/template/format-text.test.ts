import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatText } from './format-text.ts'
import type { Value } from './values.ts'

function expectAll(cases: readonly (readonly [format: string, args: readonly Value[], text: string])[]): void {
  for (const [format, args, text] of cases) assert.equal(formatText(format, args), text, format)
}

test('texts', () => {
  expectAll([
    ['%s|%5s|%-5s|%05s', ['ab', 'ab', 'ab', 'ab'], 'ab|   ab|ab   |000ab'],
    ['%.2s|%5.1s|%.0s|', ['äöü', 'äöü', 'x'], 'äö|    ä||'],
    ['%q|%#q|%+q|%8q', ['a"\n', 'a"', 'ä', 'x'], '"a\\"\\n"|`a"`|"\\u00e4"|     "x"'],
    ['%x|%X|% x|%#x|%# x|%.1x', ['hé', 'hé', 'ab', 'ab', 'ab', 'ab'], '68c3a9|68C3A9|61 62|0x6162|0x61 0x62|61'],
    ['%v|%#v|%T', ['x', 'x', 'x'], 'x|"x"|string'],
    ['%d|%t|%f', ['x', 'x', 'x'], '%!d(string=x)|%!t(string=x)|%!f(string=x)'],
  ])
})

test('whole numbers', () => {
  expectAll([
    ['%d|%5d|%-5d|%05d|%+d|% d', [42n, 42n, 42n, -42n, 42n, 42n], '42|   42|42   |-0042|+42| 42'],
    ['%.5d|%8.3d|%08.3d|%.0d|', [42n, 7n, 7n, 0n], '00042|     007|     007||'],
    ['%b|%o|%O|%x|%X|%#x|%#b|%#o', [5n, 8n, 8n, 255n, 255n, 255n, 5n, 8n], '101|10|0o10|ff|FF|0xff|0b101|010'],
    ['%c|%q|%U|%#U|%c', [65n, 65n, 8364n, 65n, -1n], "A|'A'|U+20AC|U+0041 'A'|\ufffd"],
    ['%v|%s|%t|%f|%e', [1n, 1n, 1n, 1n, 1n], '1|%!s(int=1)|%!t(int=1)|%!f(int=1)|%!e(int=1)'],
    ['%*d|%-*d|%*d|%.*f', [5n, 1n, 4n, 2n, -3n, 3n, 2n, 1.239], '    1|2   |3  |1.24'],
  ])
})

test('floats are rounded half to even, from their exact value', () => {
  expectAll([
    [
      '%f|%.2f|%8.2f|%-8.2f|%08.2f|%+.1f',
      [1.5, 2.345, 2.5, 2.5, -2.5, 1],
      '1.500000|2.35|    2.50|2.50    |-0002.50|+1.0',
    ],
    ['%.0f|%.0f|%.0f|%.2f|%.1f', [0.5, 1.5, 2.5, 0.125, 0.25], '0|2|2|0.12|0.2'],
    ['%.3f|%.20f|%f', [1e21, 0.1, 0], '1000000000000000000000.000|0.10000000000000000555|0.000000'],
    ['%e|%.1e|%E|%e', [1234.5, 0.00012345, 1e100, 0], '1.234500e+03|1.2e-04|1.000000E+100|0.000000e+00'],
    ['%g|%g|%g|%g|%G', [1e6, 123456, 0.0001, 1e-5, 1e-7], '1e+06|123456|0.0001|1e-05|1E-07'],
    ['%.3g|%.3g|%.10g|%.10g|%.0g', [1234.5, 100000, 1234567, 1e6, 15], '1.23e+03|1e+05|1234567|1000000|2e+01'],
    ['%v|%6v|%d', [3, 1.5, 1.5], '3|   1.5|%!d(float64=1.5)'],
    ['%f|%5.1f|%+f|%06f|% f', [Infinity, Number.NaN, Infinity, -Infinity, Number.NaN], '+Inf|  NaN|+Inf|  -Inf| NaN'],
    ['%.2f %.2f', [-0.001, 9.999], '-0.00 10.00'],
    ['%.329f', [5e-324], `0.${'0'.repeat(323)}494066`],
  ])
})

test('nil, truth, maps and lists, times', () => {
  const list = [1n, 'a', undefined] as const
  expectAll([
    [
      '%v|%s|%d|%T|%5v',
      [undefined, undefined, undefined, undefined, undefined],
      '<nil>|%!s(<nil>)|%!d(<nil>)|<nil>|<nil>',
    ],
    ['%t|%v|%7t|%s', [true, false, true, true], 'true|false|   true|%!s(bool=true)'],
    ['%v|%d', [list, list], '[1 a <nil>]|[1 %!d(string=a) %!d(<nil>)]'],
    ['%v|%s|%T', [new Map([['b', 1]]), new Map([['b', 'x']]), new Map()], 'map[b:1]|map[b:x]|map[string]interface {}'],
    [
      '%s|%T',
      [
        { kind: 'time', ns: 0n, zone: 'UTC' },
        { kind: 'time', ns: 0n, zone: 'UTC' },
      ],
      '1970-01-01 00:00:00 +0000 UTC|time.Time',
    ],
  ])
})

test('what is wrong with a format stands in the output', () => {
  expectAll([
    ['%', [], '%!(NOVERB)'],
    ['a%', [1n], 'a%!(NOVERB)%!(EXTRA int=1)'],
    ['%d', [], '%!d(MISSING)'],
    ['x', [1n, 'a', undefined], 'x%!(EXTRA int=1, string=a, <nil>)'],
    ['%%|%5%', [], '%|%'],
    ['%z', [1n], '%!z(int=1)'],
    ['%é', ['x'], '%!é(string=x)'],
    ['%*d', ['x', 1n], '%!(BADWIDTH)1'],
    ['%.*f', [-1n, 1.5], '%!(BADPREC)1.500000'],
    ['%[2]d %[1]d|%[2]d', [1n, 2n], '2 1|2'],
    ['%[3]d|%[x]d', [1n, 2n], '%!d(BADINDEX)|%!d(BADINDEX)'],
    ['%2000000d rest', [1n], '%!(NOVERB)%!(EXTRA int=1)'],
  ])
})

test('the output is bounded', () => {
  assert.throws(() => formatText('%1000000d%1000000d', [1n, 2n]), /longer than 1048576/)
  assert.equal(formatText('%1000000d', [1n]).length, 1_000_000)
  assert.equal(formatText('%.1000000f', [1]).length, 1_000_002)
})
