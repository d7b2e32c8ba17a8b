/** Selectors, pipelines and log ranges. */
import { assert } from '#/kernel/assert.ts'
import type { LogExpr, LogRange, MatchOp, Matcher, Unwrap } from '#/logs/logql/ast/nodes.ts'
import { stageBehindPipe, stageByKeyword, type StageNode } from '#/logs/logql/stages/index.ts'
import type { TokenCursor } from './token-cursor.ts'

/** `{a="b", c=~"d.*"}` */
export function parseSelectorTokens(cursor: TokenCursor): Matcher[] {
  cursor.expect('{')
  if (cursor.peek() !== 'IDENTIFIER' && cursor.peek() !== '}') throw cursor.unexpected('IDENTIFIER', '}')
  if (cursor.accept('}')) return []
  const matchers = [parseMatcher(cursor)]
  while (cursor.peek() !== '}') {
    if (!cursor.accept(',')) throw cursor.unexpected('}', ',')
    matchers.push(parseMatcher(cursor))
  }
  cursor.next()
  return matchers
}

function parseMatcher(cursor: TokenCursor): Matcher {
  const name = cursor.expect('IDENTIFIER').text
  const op = cursor.expect('=', '=~', '!~', '!=').kind as MatchOp
  return { name, op, value: cursor.expect('STRING').text }
}

/** A selector with its pipeline; `unwrap` is a syntax error here. */
export function parseLogExpr(cursor: TokenCursor): LogExpr {
  return parseBody(cursor, false).log
}

type Body = { readonly log: LogExpr; readonly unwrap: Unwrap | undefined }

function parseBody(cursor: TokenCursor, mayUnwrap: boolean): Body {
  const start = cursor.start()
  const matchers = parseSelectorTokens(cursor)
  const { stages, unwrap } = parsePipeline(cursor, mayUnwrap)
  return { log: { kind: 'log', matchers, stages, at: cursor.since(start) }, unwrap }
}

function parsePipeline(cursor: TokenCursor, mayUnwrap: boolean): { stages: StageNode[]; unwrap: Unwrap | undefined } {
  const stages: StageNode[] = []
  for (;;) {
    cursor.beginStage()
    if (cursor.peek() !== '|') {
      const lineFilter = stageByKeyword(cursor.peek())
      if (lineFilter?.kind !== 'line_filter') return { stages, unwrap: undefined }
      stages.push(lineFilter.parse(cursor, cursor.next()))
      continue
    }
    const start = cursor.next().at.start
    if (mayUnwrap && cursor.peek() === 'unwrap') return { stages, unwrap: parseUnwrap(cursor, start) }
    const stage = stageBehindPipe(cursor)
    if (!stage) throw cursor.unexpected()
    stages.push(stage.parse(cursor, cursor.next()))
  }
}

/** `| unwrap duration(latency) | __error__=""`, from `unwrap` on. */
function parseUnwrap(cursor: TokenCursor, start: number): Unwrap {
  cursor.expect('unwrap')
  const { label, conversion } = parseUnwrapped(cursor)
  const filters: StageNode[] = []
  for (;;) {
    cursor.beginStage()
    if (!cursor.accept('|')) break
    const first = cursor.expect('IDENTIFIER', '(')
    const stage = stageByKeyword(first.kind)
    assert(stage?.kind === 'label_filter', 'names and parentheses begin label filters')
    filters.push(stage.parse(cursor, first))
  }
  return { label, conversion, filters, at: cursor.since(start) }
}

function parseUnwrapped(cursor: TokenCursor): Pick<Unwrap, 'label' | 'conversion'> {
  const first = cursor.expect('IDENTIFIER', 'bytes', 'duration', 'duration_seconds')
  if (first.kind === 'IDENTIFIER') return { label: first.text, conversion: undefined }
  cursor.expect('(')
  const label = cursor.expect('IDENTIFIER').text
  cursor.expect(')')
  return { label, conversion: first.kind as 'bytes' | 'duration' | 'duration_seconds' }
}

/**
 * The argument of a range function. The pipeline stands before the range or behind it; in parentheses without the range, only a
 * bare selector may be followed by `unwrap` behind the range.
 */
export function parseLogRange(cursor: TokenCursor): LogRange {
  const start = cursor.start()
  if (cursor.peek() === '{') return parseRangeBehind(cursor, start, parseBody(cursor, true), true)
  cursor.expect('{', '(')
  return cursor.nested(() => {
    if (cursor.peek() !== '{') {
      const inner = parseLogRange(cursor)
      cursor.expect(')')
      return inner
    }
    const bodyStart = cursor.start()
    const body = parseBody(cursor, true)
    if (cursor.peek() === 'RANGE') {
      const inner = parseRangeBehind(cursor, bodyStart, body, true)
      cursor.expect(')')
      return inner
    }
    if (!cursor.accept(')')) throw cursor.unexpected()
    return parseRangeBehind(cursor, start, body, false)
  })
}

function parseRangeBehind(cursor: TokenCursor, start: number, body: Body, mayPipeline: boolean): LogRange {
  if (cursor.peek() !== 'RANGE') throw cursor.unexpected()
  const rangeNs = cursor.next().value
  const offsetNs = cursor.accept('offset') ? cursor.expect('DURATION').value : 0
  if (body.unwrap || body.log.stages.length > 0) return { ...body, rangeNs, offsetNs, at: cursor.since(start) }
  const behind = mayPipeline ? parsePipeline(cursor, true) : parseUnwrapOnly(cursor)
  const log: LogExpr = { ...body.log, stages: behind.stages, at: cursor.since(body.log.at.start) }
  return { log, unwrap: behind.unwrap, rangeNs, offsetNs, at: cursor.since(start) }
}

function parseUnwrapOnly(cursor: TokenCursor): { stages: StageNode[]; unwrap: Unwrap | undefined } {
  if (cursor.peek() !== '|') return { stages: [], unwrap: undefined }
  const start = cursor.next().at.start
  if (cursor.peek() !== 'unwrap') throw cursor.unexpected('unwrap')
  return { stages: [], unwrap: parseUnwrap(cursor, start) }
}
