/** `| pattern "<ip> - <_> \"<method>\""`: what stands between fixed texts becomes labels. Never an error. */
import { parseLinePattern } from '#/logs/logql/stages/line-pattern.ts'
import type { NeededLabels, RowStage } from './row.ts'
import { WantedLabels } from './wanted-labels.ts'

type Step = { readonly name: string | undefined; readonly literal: Buffer | undefined }

export function compilePattern(text: string, needed: NeededLabels): RowStage {
  const wanted = new WantedLabels(needed)
  const parts = parseLinePattern(text)
  const first = parts[0]
  const prefix = first?.kind === 'literal' ? Buffer.from(first.text) : Buffer.alloc(0)
  const steps: Step[] = []
  for (const [index, part] of parts.entries()) {
    if (part.kind !== 'capture') continue
    const next = parts[index + 1]
    steps.push({ name: part.name, literal: next?.kind === 'literal' ? Buffer.from(next.text) : undefined })
  }
  return (row) => {
    const line = row.bytes.subarray(row.start, row.end)
    if (line.length < prefix.length || prefix.compare(line, 0, prefix.length) !== 0) return true
    let at = prefix.length
    for (const { name, literal } of steps) {
      const hit = literal ? line.indexOf(literal, at) : -1
      const end = hit < 0 ? line.length : hit
      const target = name === undefined || !wanted.value(name) ? undefined : wanted.target(row, name)
      if (target !== undefined) row.setParsedRange(target, 'plain', row.start + at, row.start + end)
      if (hit < 0) return true
      at = end + literal!.length
    }
    return true
  }
}
