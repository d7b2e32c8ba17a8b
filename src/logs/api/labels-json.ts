import type { Labels } from '#/storage/index/label-index.ts'

/** Names of labels as keys, with their colon; more are written each time. */
const MAX_KEYS = 1024
const keys = new Map<string, string>()

/** The labels that were written last, and what was written for each. */
let last: Labels = []
const parts: string[] = []

/** Labels as a JSON object, in the order in which they stand. In lists of streams neighbours share most of them. */
export function labelsObject(labels: Labels): string {
  parts.length = labels.length
  labels.forEach((label, i) => {
    if (label !== last[i]) parts[i] = keyOf(label[0]) + JSON.stringify(label[1])
  })
  last = labels
  return `{${parts.join(',')}}`
}

function keyOf(name: string): string {
  const known = keys.get(name)
  if (known !== undefined) return known
  const key = `${JSON.stringify(name)}:`
  if (keys.size < MAX_KEYS) keys.set(name, key)
  return key
}
