/** `json`: all members of a JSON line become labels. `json a, b="c.d[0]"`: only these expressions. */
import { quoteGo } from '#/kernel/go-quote.ts'
import type { JsonExtraction, JsonNode } from '#/logs/logql/ast/stage-nodes.ts'
import { parseExtractions } from './extractions.ts'
import { JsonPathError, parseJsonPath } from './json-path.ts'
import { stageProblem, type StageDefinition } from './stage.ts'

export const json: StageDefinition<JsonNode> = {
  kind: 'json',
  keywords: ['json'],
  doc: 'Reads the line as a JSON object; members become labels, nested names are joined with `_`. With expressions only these are extracted.',
  reads: { line: true, writesLine: false, writesLabels: true },
  parse(cursor) {
    const extractions = parseExtractions(cursor).map(({ label, expression }) => ({
      label,
      expression,
      path: pathOrEmpty(expression),
    }))
    return { kind: 'json', extractions, at: cursor.range() }
  },
  print: (node) => ['| json', node.extractions.map(printExtraction).join(', ')].filter((part) => part !== '').join(' '),
  problem(node, printLog) {
    for (const { expression } of node.extractions) {
      const cause = pathProblem(expression)
      if (cause !== undefined) return stageProblem(json.print(node, printLog), cause)
    }
    return undefined
  },
  needs: (_node, after) => after,
}

const printExtraction = ({ label, expression }: JsonExtraction): string => `${label}=${quoteGo(expression)}`

/** Wrong expressions are reported by `problem`, once the whole query is known to parse. */
function pathOrEmpty(expression: string): readonly (string | number)[] {
  return pathProblem(expression) === undefined ? parseJsonPath(expression) : []
}

function pathProblem(expression: string): string | undefined {
  try {
    parseJsonPath(expression)
    return undefined
  } catch (error) {
    if (error instanceof JsonPathError) return `cannot parse expression [${expression}]: ${error.message}`
    throw error
  }
}
