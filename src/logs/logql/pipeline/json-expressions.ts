/** `| json a, b="c.d[0]"`: only the values at these paths. */
import { utf8Text } from '#/kernel/buffer-text.ts'
import { JsonPathScanner } from '#/kernel/json-path-scan.ts'
import { unescapeJson } from '#/kernel/json-text.ts'
import type { JsonExtraction } from '#/logs/logql/ast/stage-nodes.ts'
import { JSON_ERROR } from './json.ts'
import type { NeededLabels, Row, RowStage } from './row.ts'
import { EXTRACTED_SUFFIX } from './stream-view.ts'

const starts: ReadonlySet<number> = new Set(Buffer.from('"{['))

export function compileJsonExpressions(extractions: readonly JsonExtraction[], needed: NeededLabels): RowStage {
  const wanted = extractions.filter(
    ({ label }) => needed === 'all' || needed.has(label) || needed.has(label + EXTRACTED_SUFFIX),
  )
  if (wanted.length === 0 && !(needed !== 'all' && needed.has('__error__'))) return () => true
  const scanner = new JsonPathScanner()
  return (row) => {
    if (row.start === row.end) return true
    if (!starts.has(row.bytes[row.start]!)) {
      row.setError(JSON_ERROR, '')
      return true
    }
    for (const { label, path } of wanted) {
      const kind = scanner.find(row.bytes, row.start, row.end, path)
      if (kind === 'missing') {
        if (!row.has(label)) row.setParsed(label, '')
        continue
      }
      row.setParsed(row.hasBase(label) ? label + EXTRACTED_SUFFIX : label, textOf(row, scanner, kind))
    }
    return true
  }
}

function textOf(row: Row, scanner: JsonPathScanner, kind: 'string' | 'null' | 'other'): string {
  if (kind === 'null') return ''
  const raw = utf8Text(row.bytes, scanner.valueStart, scanner.valueEnd)
  const text = kind === 'string' ? (unescapeJson(raw) ?? '') : raw
  return text.replaceAll('\ufffd', ' ')
}
