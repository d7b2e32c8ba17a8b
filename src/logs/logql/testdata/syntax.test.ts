/** Runs `syntax.logqltest`: every query in it parses to its canonical text, or is refused with its message. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import test from 'node:test'
import { formatQuery } from '#/logs/logql/format/format-query.ts'
import { printExpr } from '#/logs/logql/format/print.ts'
import { ParseError } from '#/logs/logql/parser/parse-error.ts'
import { parseExpr } from '#/logs/logql/parser/parse-expr.ts'
import { withoutPlaces } from './expr-arbitrary.ts'

type Case = { readonly verb: string; readonly query: string; readonly expected: string; readonly line: number }

function readCases(text: string): Case[] {
  const cases: Case[] = []
  const lines = text.split('\n')
  for (let at = 0; at < lines.length; at++) {
    const source = lines[at] ?? ''
    if (source === '' || source.startsWith('#')) continue
    const match = /^(parse|refuse) (.*)$/.exec(source)
    assert.ok(match, `line ${at + 1}: ${source}`)
    const query = match[2]!.replaceAll('⏎', '\n').replaceAll('⇥', '\t')
    cases.push({ verb: match[1]!, query, expected: lines[++at] ?? '', line: at })
  }
  return cases
}

const cases = readCases(readFileSync(new URL('./syntax.logqltest', import.meta.url), 'utf8'))

test('queries that parse have the canonical text that stands below them', () => {
  for (const { query, expected, line } of cases.filter(({ verb }) => verb === 'parse')) {
    const expr = parseExpr(query)
    const canonical = expected === '=' ? query : expected
    assert.equal(printExpr(expr), canonical, `line ${line}`)
    assert.deepEqual(withoutPlaces(parseExpr(canonical)), withoutPlaces(expr), `line ${line}`)
    assert.deepEqual(withoutPlaces(parseExpr(formatQuery(query))), withoutPlaces(expr), `line ${line}`)
  }
})

test('queries that are refused have the message that stands below them', () => {
  const refusals = cases.filter(({ verb }) => verb === 'refuse')
  assert.deepEqual(
    refusals.map(({ query, line }) => ({ line, query, message: messageOf(query) })),
    refusals.map(({ query, line, expected }) => ({ line, query, message: expected })),
  )
})

function messageOf(query: string): string {
  try {
    parseExpr(query)
    return 'it parses'
  } catch (error) {
    assert.ok(error instanceof ParseError, String(error))
    assert.equal(error.code, 'bad_request')
    assert.ok(error.at.start >= 0 && error.at.end <= query.length && error.at.start <= error.at.end)
    return error.message
  }
}

test('the file has cases of both kinds', () => {
  assert.ok(cases.filter(({ verb }) => verb === 'parse').length > 80)
  assert.ok(cases.filter(({ verb }) => verb === 'refuse').length > 80)
})
