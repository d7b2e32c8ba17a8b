import assert from 'node:assert/strict'
import test from 'node:test'
import type { Token } from '#/logs/logql/stages/stage.ts'
import { Lexer } from './lexer.ts'

function tokens(text: string): Token[] {
  const lexer = new Lexer(text)
  const list: Token[] = []
  for (let token = lexer.next(); token.kind !== '$end'; token = lexer.next()) list.push(token)
  return list
}
const kinds = (text: string): string[] => tokens(text).map(({ kind }) => kind)

test('operators take the longest match', () => {
  assert.deepEqual(kinds('= == =~ != !~ !> |= |~ |> | > >= < <= ! ~'), [
    '=',
    '==',
    '=~',
    '!=',
    '!~',
    '!>',
    '|=',
    '|~',
    '|>',
    '|',
    '>',
    '>=',
    '<',
    '<=',
    'STRAY',
    'STRAY',
  ])
  assert.deepEqual(kinds('===~'), ['==', '=~'])
  assert.deepEqual(kinds('a!=~"x"'), ['IDENTIFIER', '!=', 'STRAY', 'STRING'])
})

test('words that are functions only before a parenthesis', () => {
  assert.deepEqual(kinds('rate (x) rate rate by (x) rate by x COUNT\n WITHOUT\t(x) ip( ip'), [
    'rate',
    '(',
    'IDENTIFIER',
    ')',
    'IDENTIFIER',
    'rate',
    'by',
    '(',
    'IDENTIFIER',
    ')',
    'IDENTIFIER',
    'by',
    'IDENTIFIER',
    'count',
    'without',
    '(',
    'IDENTIFIER',
    ')',
    'ip',
    '(',
    'IDENTIFIER',
  ])
})

test('words that are reserved everywhere, in any case', () => {
  const words =
    'by without bool offset on ignoring group_left group_right or and unless json regexp logfmt unpack pattern label_format line_format decolorize drop keep unwrap'.split(
      ' ',
    )
  for (const word of words) assert.deepEqual(kinds(`${word} ${word.toUpperCase()}`), [word, word])
  assert.deepEqual(kinds('jsonx by_ İn'), ['IDENTIFIER', 'IDENTIFIER', 'IDENTIFIER'])
})

test('numbers, durations and sizes', () => {
  const cases: [string, string, number?][] = [
    ['5', 'NUMBER'],
    ['5.', 'NUMBER'],
    ['.5', 'NUMBER'],
    ['1e3', 'NUMBER'],
    ['1.5E-3', 'NUMBER'],
    ['0x1F', 'NUMBER'],
    ['0b10', 'NUMBER'],
    ['5s', 'DURATION', 5e9],
    ['1h30m', 'DURATION', 5400e9],
    ['1.5h', 'DURATION', 5400e9],
    ['-1.5h', 'DURATION', -5400e9],
    ['1y', 'DURATION', 365 * 86_400e9],
    ['1w2d', 'DURATION', 9 * 86_400e9],
    ['300us', 'DURATION', 300e3],
    ['300µs', 'DURATION', 300e3],
    ['300μs', 'DURATION', 300e3],
    ['7ns', 'DURATION', 7],
    ['30m1h', 'DURATION', 5400e9],
    ['5B', 'BYTES', 5],
    ['5KB', 'BYTES', 5000],
    ['5k', 'BYTES', 5000],
    ['5Ki', 'BYTES', 5120],
    ['1.5MiB', 'BYTES', 1.5 * 1024 ** 2],
    ['2GB', 'BYTES', 2e9],
    ['3T', 'BYTES', 3e12],
    ['4PiB', 'BYTES', 4 * 1024 ** 5],
  ]
  for (const [text, kind, value] of cases) {
    const [token, ...more] = tokens(text)
    assert.deepEqual([token?.kind, token?.value, more.length], [kind, value ?? Number.NaN, 0], text)
  }
})

test('what looks like a quantity and is none falls apart', () => {
  assert.deepEqual(kinds('5foo'), ['NUMBER', 'IDENTIFIER'])
  assert.deepEqual(kinds('5XB'), ['NUMBER', 'IDENTIFIER'])
  assert.throws(() => kinds('5EB'), /exponent has no digits/)
  assert.deepEqual(kinds('1d1d'), ['NUMBER', 'IDENTIFIER'])
  assert.deepEqual(kinds('400y'), ['NUMBER', 'IDENTIFIER'])
  assert.deepEqual(kinds('- 5m'), ['-', 'DURATION'])
  assert.deepEqual(kinds('-5'), ['-', 'NUMBER'])
  assert.deepEqual(kinds('-5KB'), ['-', 'BYTES'])
})

test('flags', () => {
  assert.deepEqual(kinds('--strict --keep-empty'), ['FUNCTION_FLAG', 'FUNCTION_FLAG'])
  assert.deepEqual(kinds('--stricter'), ['-', '-', 'IDENTIFIER'])
  assert.deepEqual(kinds('1--1'), ['NUMBER', '-', '-', 'NUMBER'])
})

test('strings', () => {
  const cases: [string, string, boolean?][] = [
    ['"plain"', 'plain'],
    ['""', ''],
    ['"\\a\\b\\f\\n\\r\\t\\v\\\\\\""', '\x07\b\f\n\r\t\v\\"'],
    ['"\\x41\\102\\u0043\\U00000044"', 'ABCD'],
    ['"\\xe2\\x82\\xac \\303\\251"', '€ é'],
    ['"\\\\xff"', '\\xff'],
    ['`a\\n"b"\n`', 'a\\n"b"\n', true],
    ['`a\r\nb`', 'a\nb', true],
    ['"# // /* `"', '# // /* `'],
  ]
  for (const [source, text, raw = false] of cases) {
    const [token, ...more] = tokens(source)
    assert.deepEqual([token?.kind, token?.text, token?.raw, more.length], ['STRING', text, raw, 0], source)
  }
})

test('strings that are none', () => {
  const cases: Record<string, string> = {
    '"open': 'literal not terminated',
    '"open\\': 'literal not terminated',
    '"open\\"': 'literal not terminated',
    '"line\nbreak"': 'literal not terminated',
    '`open': 'literal not terminated',
    '"\\q"': 'invalid char escape',
    '"\\\'"': 'invalid char escape',
    '"\\x4"': 'invalid char escape',
    '"\\08"': 'invalid char escape',
    '"\\777"': 'invalid char escape',
    '"\\u12"': 'invalid char escape',
    '"\\U00110000"': 'invalid syntax',
    '"\\udfff"': 'invalid syntax',
    '"\\xe2\\x82"': 'invalid UTF-8 rune',
    "'open": 'literal not terminated',
    "'ab'": 'invalid char literal',
    "''": 'invalid char literal',
    'a \0': 'invalid character NUL',
  }
  for (const [source, message] of Object.entries(cases)) {
    assert.throws(
      () => tokens(source),
      { name: 'ParseError', message: new RegExp(`^parse error at line 1, col \\d: ${message}$`) },
      source,
    )
  }
})

test('the end comes again and again', () => {
  const lexer = new Lexer(' # nothing')
  for (let i = 0; i < 3; i++) assert.deepEqual([lexer.next().kind, lexer.next().at], ['$end', { start: 10, end: 10 }])
})
