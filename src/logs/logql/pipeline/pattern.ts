/** `| pattern "<ip> - <_> \"<method>\""`: what stands between fixed texts becomes labels. Never an error. */
import { internText } from '#/kernel/intern.ts'
import { parseLinePattern } from '#/logs/logql/stages/line-pattern.ts'
import { findBytes, startsWithBytes } from './byte-search.ts'
import type { NeededLabels, RowStage } from './row.ts'
import { WantedLabels } from './wanted-labels.ts'

/** A capture and the text that ends it; without a name nobody wants it, without a text it takes the rest of the line. */
type Step = { readonly name: string | undefined; readonly literal: Buffer | undefined }

export function compilePattern(text: string, needed: NeededLabels): RowStage {
  const wanted = new WantedLabels(needed)
  const { prefix, steps } = compileSteps(text, wanted)
  const count = steps.length
  if (count === 0) return () => true
  return (row) => {
    const { bytes, end } = row
    let at = row.start
    if (!startsWithBytes(bytes, prefix, at, end)) return true
    at += prefix.length
    for (let i = 0; i < count; i++) {
      const { name, literal } = steps[i]!
      const hit = literal ? findBytes(bytes, literal, at, end) : -1
      if (name !== undefined) {
        const target = wanted.target(row, name)
        if (target !== undefined) row.addParsedRange(target, 'raw', at, hit < 0 ? end : hit)
      }
      if (hit < 0) return true
      at = hit + literal!.length
    }
    return true
  }
}

/** What stands behind the last wanted capture does not matter. */
function compileSteps(text: string, wanted: WantedLabels): { prefix: Buffer; steps: readonly Step[] } {
  const parts = parseLinePattern(text)
  const first = parts[0]
  const prefix = first?.kind === 'literal' ? Buffer.from(first.text) : Buffer.alloc(0)
  const steps: Step[] = []
  for (const [index, part] of parts.entries()) {
    if (part.kind !== 'capture') continue
    const next = parts[index + 1]
    const name = part.name !== undefined && wanted.value(part.name) ? internText(part.name) : undefined
    steps.push({ name, literal: next?.kind === 'literal' ? Buffer.from(next.text) : undefined })
  }
  return { prefix, steps: steps.slice(0, steps.findLastIndex(({ name }) => name !== undefined) + 1) }
}
