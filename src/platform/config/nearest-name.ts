/** Finds what was meant by a misspelt name. */

/** The candidate with the fewest edits away from `name`, if these are few enough for a slip. */
export function nearestName(name: string, candidates: Iterable<string>): string | undefined {
  const editsMax = Math.max(1, Math.min(4, Math.floor(name.length / 3)))
  let best: string | undefined
  let bestEdits = editsMax + 1
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - name.length) >= bestEdits) continue
    const edits = editDistance(name, candidate)
    if (edits < bestEdits) [best, bestEdits] = [candidate, edits]
  }
  return best
}

/** Insertions, deletions, changes and swaps of neighbours that turn `a` into `b`. */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const change = at(last, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1)
      let edits = Math.min(at(last, j) + 1, at(row, j - 1) + 1, change)
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      if (isSwap) edits = Math.min(edits, at(beforeLast, j - 2) + 1)
      row.push(edits)
    }
    beforeLast = last
    last = row
  }
  return at(last, b.length)
}

const at = (row: readonly number[], index: number): number => row[index] ?? 0
