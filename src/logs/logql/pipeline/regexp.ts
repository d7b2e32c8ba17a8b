/** `| regexp "(?P<method>\\w+) …"`: the named groups of the first match become labels. No match adds nothing. */
import { internText } from '#/kernel/intern.ts'
import { compileRegex } from '#/platform/regex/compile.ts'
import type { NeededLabels, RowStage } from './row.ts'
import { WantedLabels } from './wanted-labels.ts'

export function compileRegexp(pattern: string, needed: NeededLabels): RowStage {
  const wanted = new WantedLabels(needed)
  const regex = compileRegex(pattern, { anchored: false })
  const groups = regex.groupNames.flatMap((name, index) =>
    name !== undefined && wanted.value(name) ? [{ name: internText(name), index: index + 1 }] : [],
  )
  if (groups.length === 0) return () => true
  return (row) => {
    const text = row.lineText()
    const match = row.isAsciiLine() ? regex.execAscii(text) : regex.exec(text)
    if (!match) return true
    for (const { name, index } of groups) {
      const target = wanted.target(row, name)
      if (target !== undefined) row.setParsed(target, match.groups[index] ?? '')
    }
    return true
  }
}
