/** `logfmt [--strict] [--keep-empty] [a, b="key"]`: `key=value` pairs become labels. */
import { quoteGo } from '#/kernel/go-quote.ts'
import type { LogfmtNode } from '#/logs/logql/ast/stage-nodes.ts'
import { parseExtractions } from './extractions.ts'
import type { StageDefinition } from './stage.ts'

export const logfmt: StageDefinition<LogfmtNode> = {
  kind: 'logfmt',
  keywords: ['logfmt'],
  doc: 'Reads `key=value` pairs of the line into labels; `--strict` stops at the first malformed pair, `--keep-empty` keeps empty values.',
  reads: { line: true, writesLine: false, writesLabels: true },
  parse(cursor) {
    let strict = false
    let keepEmpty = false
    while (cursor.peek() === 'FUNCTION_FLAG') {
      if (cursor.next().text === '--strict') strict = true
      else keepEmpty = true
    }
    const extractions = parseExtractions(cursor).map(({ label, expression }) => ({ label, key: expression }))
    return { kind: 'logfmt', strict, keepEmpty, extractions, at: cursor.range() }
  },
  print(node) {
    const flags = (node.strict ? ' --strict' : '') + (node.keepEmpty ? ' --keep-empty' : '')
    const extractions = node.extractions.map(({ label, key }) => `${label}=${quoteGo(key)}`).join(', ')
    return `| logfmt${flags}${extractions === '' ? '' : ` ${extractions}`}`
  },
  problem: () => undefined,
  needs: (_node, after) => after,
}
