import assert from 'node:assert/strict'
import test from 'node:test'
import { checkRegexCost, maxCaselessRanges, maxUnicodeClasses } from './check-regex-cost.ts'
import { parseExpr } from './parse-expr.ts'
import { ParseError } from './parse-error.ts'

const classes = ['L', 'Lu', 'Ll', 'N', 'Nd', 'P', 'S', 'Z', 'Greek', 'Latin', 'Cyrillic', 'Han', 'Thai']
const query = (pattern: string): string => `{a="b"} |~ \`${pattern}\``
const named = (count: number): string =>
  classes
    .slice(0, count)
    .map((name) => `\\p{${name}}`)
    .join('')

test('a query may name some classes of Unicode, as often as it likes', () => {
  parseExpr(query(named(maxUnicodeClasses)))
  parseExpr(query('\\pL\\PL\\p{L}\\p{^L}'.repeat(10)))
  assert.throws(() => parseExpr(query(named(maxUnicodeClasses + 1))), {
    message: 'parse error : the query names 13 different Unicode classes, the limit is 12',
  })
})

test('the names of all regular expressions count together, escaped or not', () => {
  const quoted = classes.map((name) => `|~ "\\\\p{${name}}"`).join(' ')
  assert.throws(() => parseExpr(`{a="b"} ${quoted}`), /names 13 different Unicode classes/)
})

test('classes and ranges without regard to case are counted, others are not', () => {
  const most = '[a]'.repeat(maxCaselessRanges)
  checkRegexCost(query(`(?i)${most}`))
  checkRegexCost(query(`${most}[a-z]`))
  const tooMany = /has 3002 character classes and ranges without regard to case, the limit is 3000/
  assert.throws(() => checkRegexCost(query(`(?i)${most}[a-z]`)), tooMany)
  assert.throws(() => checkRegexCost(query(`(?si:${most}[a-z])`)), tooMany)
  assert.throws(() => checkRegexCost(query(`(?i)[${'a-z'.repeat(3000)}]`)), ParseError)
})

test('ids with dashes are no classes', () => {
  const ids = Array.from({ length: 3000 }, (_, i) => `${i}-4b1d-11ee`).join('|')
  checkRegexCost(query(`(?i)[0-9a-f]{8}(${ids})`))
})
