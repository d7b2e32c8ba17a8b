import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { printExpr } from '#/logs/logql/format/print.ts'
import * as arbitrary from '#/logs/logql/testdata/expr-arbitrary.ts'
import { Lexer } from './lexer.ts'
import { ParseError } from './parse-error.ts'
import { maxQueryBytes, parseExpr } from './parse-expr.ts'
import { testSeed } from '#/kernel/fixture/test-seed.ts'
const options = { seed: testSeed, numRuns: Number(process.env['FUZZ_RUNS'] ?? 500) }

const words = (
  '{ } ( ) , . = != =~ !~ == > >= < <= + - * / % ^ | |= |~ |> !> ! [5m] [1h] [ ] [5 "x" "" `y` " ` \'z\' "\\ 5 1.5 .5 1e3 0x1 1h 5s 3KB -5m ' +
  '# // /* */ --strict --keep-empty -- app x ü \u{1f600} \0 by without bool offset on ignoring group_left group_right or and unless json ' +
  'regexp logfmt unpack pattern label_format line_format decolorize drop keep unwrap rate count_over_time quantile_over_time sum topk sort ' +
  'label_replace vector bytes duration ip {app="x"} |="e" | rate({app="x"}[1m])'
).split(' ')
const soup = fc
  .array(fc.tuple(fc.constantFrom(...words), fc.constantFrom('', ' ', '\n')), { maxLength: 40 })
  .map((parts) => parts.flat().join(''))

/** Parses; anything but a tree or a parse error is a defect. */
function parseOrRefuse(query: string): boolean {
  try {
    parseExpr(query)
    return true
  } catch (error) {
    assert.ok(error instanceof ParseError, `${JSON.stringify(query)}: ${String(error)}`)
    assert.match(error.message, /^parse error( at line \d+, col \d+)? ?: ?./)
    assert.ok(error.at.start >= 0 && error.at.end <= query.length, JSON.stringify(query))
    return false
  }
}

test(`tokens in any order parse or are refused with a parse error (seed ${testSeed})`, () => {
  fc.assert(
    fc.property(soup, (query) => void parseOrRefuse(query)),
    { ...options, numRuns: options.numRuns * 4 },
  )
})

test(`any text parses or is refused with a parse error (seed ${testSeed})`, () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 60 }), fc.string({ maxLength: 60 }), (binary, plain) => {
      parseOrRefuse(binary)
      parseOrRefuse(plain)
      parseOrRefuse(`{a="b"} ${plain}`)
    }),
    options,
  )
})

test(`a query with one character changed parses or is refused, and what parses prints (seed ${testSeed})`, () => {
  fc.assert(
    fc.property(
      arbitrary.expr,
      fc.nat(),
      fc.constantFrom('', ...Array.from('{}()|"`,=x5[]-\\\n')),
      (expr, position, character) => {
        const text = printExpr(expr)
        const at = position % text.length
        const changed = text.slice(0, at) + character + text.slice(at + 1)
        if (!parseOrRefuse(changed)) return
        const parsed = parseExpr(changed)
        assert.deepEqual(
          arbitrary.withoutPlaces(parseExpr(printExpr(parsed))),
          arbitrary.withoutPlaces(parsed),
          changed,
        )
      },
    ),
    options,
  )
})

test(`blanks, comments and the case of keywords mean nothing (seed ${testSeed})`, () => {
  const blank = fc.constantFrom(' ', '\n\t ', ' # so\n', ' // so\n', ' /* so */')
  fc.assert(
    fc.property(arbitrary.expr, fc.array(blank, { minLength: 1, maxLength: 20 }), (expr, blanks) => {
      const spaced = tokensOf(printExpr(expr))
        .map(({ source, isKeyword }, index) =>
          isKeyword ? `${source.toUpperCase()} \r\n` : source + blanks[index % blanks.length]!,
        )
        .join('')
      assert.deepEqual(arbitrary.withoutPlaces(parseExpr(spaced)), arbitrary.withoutPlaces(expr), spaced)
    }),
    options,
  )
})

type SourceToken = { readonly source: string; readonly isKeyword: boolean }

/** Tokens as written. A word before a parenthesis is a function only when nothing but blanks stands between. */
function tokensOf(text: string): SourceToken[] {
  const lexer = new Lexer(text)
  const tokens: SourceToken[] = []
  for (let token = lexer.next(); token.kind !== '$end'; token = lexer.next()) {
    const source = text.slice(token.at.start, token.at.end)
    tokens.push({ source, isKeyword: token.kind === source && /^[a-z_]+$/.test(source) })
  }
  return tokens
}

/** Texts that repeat one piece up to the limit: each must be parsed or refused at once. */
const pieces = [
  '(',
  '((a',
  '{',
  '{a="b"}',
  '{a="b",',
  '|',
  '|=',
  '"',
  '`',
  '\\',
  '"\\',
  '#\n',
  '/*',
  '/**/',
  '//\n',
  '-',
  '1+',
  '2^',
  '(1+',
  '1 ',
  'vector(1)+',
  'vector(1) or ',
  'sum(',
  'sum by (a) (',
  'rate(',
  'rate((',
  'label_replace(',
  ' | a=1',
  ' or a=1',
  ', a=1',
  'or b=1, a=1 ',
  '(a=1 or ',
  '[5m]',
  '[',
  ']',
  "'",
  '5',
  '5m',
  '1e',
  '0x',
  '\n',
  ' ',
  'a',
  'ü',
  '\u{1f600}',
  '\0',
  'by',
  'rate ',
  'sum by',
  '--strict',
  '1h1',
  '.5',
  '5K',
  '1.5.',
  '5_',
]

/** CPU time of the thread, far above what parsing takes (a few tens of milliseconds), far below what anything quadratic would. */
const maxMs = 1500

test('128 KiB of anything are parsed or refused in linear time', () => {
  const slow: string[] = []
  for (const head of ['', '{a="b"} | a=1 ']) {
    for (const piece of pieces) {
      const count = Math.floor((maxQueryBytes - head.length) / Buffer.byteLength(piece))
      const before = process.threadCpuUsage()
      parseOrRefuse(head + piece.repeat(count))
      const { user, system } = process.threadCpuUsage(before)
      const ms = (user + system) / 1000
      if (ms > maxMs) slow.push(`${head}${piece}…: ${ms.toFixed(0)} ms`)
    }
  }
  assert.deepEqual(slow, [])
})
