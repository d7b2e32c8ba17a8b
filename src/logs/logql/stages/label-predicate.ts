/**
 * Parses what stands in a label filter. `and` binds tighter than `or`. A comma or nothing between two filters means AND, belongs
 * to the single filter on its left, tighter than any operator before it, and takes everything to its right as its other side:
 * `a or b , c or d` is `a or (b and (c or d))`.
 */
import type { CompareOp, LabelPredicate } from '#/logs/logql/ast/stage-nodes.ts'
import type { StageCursor, Token, TokenKind } from './stage.ts'

/** Commas behind an `or`: each nests the tree once more. */
const maxLevels = 100

/** Means `required and (alternatives or terms)`: `terms` is the conjunction being read, `alternatives` those before its `or`s. */
type Level = { readonly required: LabelPredicate[]; readonly alternatives: LabelPredicate[]; terms: LabelPredicate[] }

/** Parses from `first`, which is taken already, to the end of the stage or the closing parenthesis. */
export function parseLabelPredicate(cursor: StageCursor, first: Token): LabelPredicate {
  const outer: Level[] = []
  let level = newLevel()
  let token = first
  for (;;) {
    level.terms.push(parseAtom(cursor, token))
    const next = cursor.peek()
    if (next === ',' || next === 'IDENTIFIER' || next === '(') {
      if (next === ',') cursor.next()
      level = beginRight(cursor, outer, level)
    } else if (next === 'or') {
      cursor.next()
      level.alternatives.push(join('and', level.terms))
      level.terms = []
    } else if (next === 'and') {
      cursor.next()
    } else {
      return outer.reduceRight((right, left) => levelValue(left, right), levelValue(level, undefined))
    }
    token = cursor.expect('IDENTIFIER', '(')
  }
}

const newLevel = (): Level => ({ required: [], alternatives: [], terms: [] })

/** The level behind a comma: without an `or` before it, all that was read so far is simply required. */
function beginRight(cursor: StageCursor, outer: Level[], level: Level): Level {
  if (level.alternatives.length === 0) {
    level.required.push(...level.terms)
    level.terms = []
    return level
  }
  if (outer.length === maxLevels) throw cursor.tooDeep(maxLevels)
  outer.push(level)
  return newLevel()
}

function levelValue({ required, alternatives, terms }: Level, right: LabelPredicate | undefined): LabelPredicate {
  const last = join('and', right === undefined ? terms : [...terms, right])
  return join('and', [...required, join('or', [...alternatives, last])])
}

/** One term stands for itself; terms of the same kind are taken apart. */
function join(kind: 'and' | 'or', terms: readonly LabelPredicate[]): LabelPredicate {
  if (terms.length === 1) return terms[0]!
  return { kind, terms: terms.flatMap((term) => (term.kind === kind ? term.terms : [term])) }
}

function parseAtom(cursor: StageCursor, first: Token): LabelPredicate {
  if (first.kind !== '(') return parseComparison(cursor, first.text)
  return cursor.nested(() => {
    const inner = parseLabelPredicate(cursor, cursor.expect('IDENTIFIER', '('))
    cursor.expect(')')
    return inner
  })
}

const compareOps: Readonly<Record<TokenKind, CompareOp>> = {
  '=': '==',
  '==': '==',
  '!=': '!=',
  '>': '>',
  '>=': '>=',
  '<': '<',
  '<=': '<=',
}

function parseComparison(cursor: StageCursor, name: string): LabelPredicate {
  const op = cursor.peek()
  if (op === 'IDENTIFIER' && cursor.word() === 'in') return parseMembership(cursor, name)
  if (op === '=~' || op === '!~') {
    cursor.next()
    return text(name, op, cursor.expect('STRING'))
  }
  const compareOp = compareOps[op]
  if (compareOp === undefined) throw cursor.unexpected()
  cursor.next()
  if (op === '=' || op === '!=') {
    if (cursor.peek() === 'STRING') return text(name, op, cursor.next())
    if (cursor.accept('ip')) {
      cursor.expect('(')
      const pattern = cursor.expect('STRING').text
      cursor.expect(')')
      return { kind: 'ip', name, op, pattern }
    }
  }
  return parseLiteral(cursor, name, compareOp)
}

/** `name in ({…} | keep other)`: no name follows the label of a filter in Loki. */
function parseMembership(cursor: StageCursor, name: string): LabelPredicate {
  cursor.next()
  cursor.expect('(')
  const query = cursor.subquery()
  cursor.expect(')')
  return { kind: 'in', name, query }
}

/** Regular expressions keep the backticks they are written in. */
function text(name: string, op: '=' | '!=' | '=~' | '!~', token: Token): LabelPredicate {
  return { kind: 'text', name, op, value: token.text, raw: token.raw && (op === '=~' || op === '!~') }
}

function parseLiteral(cursor: StageCursor, name: string, op: CompareOp): LabelPredicate {
  const token = cursor.peek()
  if (token === 'DURATION') return { kind: 'duration', name, op, value: cursor.next().value }
  if (token === 'BYTES') return { kind: 'bytes', name, op, value: cursor.next().value }
  if (token === '+' || token === '-') {
    cursor.next()
    const value = cursor.number(cursor.expect('NUMBER'))
    return { kind: 'number', name, op, value: token === '-' ? -value : value }
  }
  if (token !== 'NUMBER') throw cursor.unexpected()
  return { kind: 'number', name, op, value: cursor.number(cursor.next()) }
}
