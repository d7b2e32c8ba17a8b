/** The order of label sets by their canonical texts, mostly without making these. */
import { compareUtf8 } from '#/kernel/utf8.ts'
import { formatLabels } from '#/logs/model/labels.ts'
import type { Labels } from '#/storage/index/label-index.ts'

const QUOTE = 0x22
const BACKSLASH = 0x5c
const DELETE = 0x7f

/** As `compareUtf8` of both canonical texts. */
export function compareLabels(a: Labels, b: Labels): number {
  const count = Math.min(a.length, b.length)
  for (let i = 0; i < count; i++) {
    const [nameA, valueA] = a[i]!
    const [nameB, valueB] = b[i]!
    if (nameA !== nameB) break
    if (valueA === valueB) continue
    const order = compareValues(valueA, valueB)
    if (order !== 0) return order
    break
  }
  return compareUtf8(formatLabels(a), formatLabels(b))
}

/** Of two values that differ; 0 where only their texts tell, as one of the bytes that decide is not written as it is. */
function compareValues(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  let at = 0
  while (at < length && a.charCodeAt(at) === b.charCodeAt(at)) at++
  // a value is followed by a quote
  const codeA = at < a.length ? a.charCodeAt(at) : QUOTE
  const codeB = at < b.length ? b.charCodeAt(at) : QUOTE
  const isPlainA = at === a.length || isPlain(codeA)
  const isPlainB = at === b.length || isPlain(codeB)
  return isPlainA && isPlainB ? codeA - codeB : 0
}

/** Whether a character stands for itself in a text. */
function isPlain(code: number): boolean {
  return code >= 0x20 && code < DELETE && code !== QUOTE && code !== BACKSLASH
}
