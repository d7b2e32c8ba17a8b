import type { Labels } from '#/storage/index/label-index.ts'

/** Labels as a JSON object, in the order in which they stand. */
export function labelsObject(labels: Labels): string {
  return `{${labels.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(',')}}`
}
