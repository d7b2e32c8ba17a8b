/**
 * The order of `sort by`: values that are numbers, as Go reads them, before all other texts; numbers by size, NaN behind them;
 * texts by code points; entries without the label last. `desc` turns numbers and texts around among themselves only, so that what
 * is no number, or missing, never pushes the greatest numbers from the top of an answer.
 */
import { parseGoFloat } from '#/kernel/go-number.ts'
import { compareUtf8 } from '#/kernel/utf8.ts'

/** A number, or a text that is none; '' stands for a missing label. */
export type SortValue = number | string

export function sortValue(text: string): SortValue {
  if (!mayBeNumber(text)) return text
  const value = parseGoFloat(text)
  return typeof value === 'number' ? value : text
}

/** Negative when `a` comes before `b`; 0 when they are in the same place. */
export function compareSortValues(a: SortValue, b: SortValue, descending: boolean): number {
  const rankA = rankOf(a)
  const byRank = rankA - rankOf(b)
  if (byRank !== 0 || rankA === NAN_RANK || rankA === MISSING_RANK) return byRank
  const [left, right] = descending ? [b, a] : [a, b]
  return typeof left === 'number' ? compareNumbers(left, right as number) : compareUtf8(left, right as string)
}

const NAN_RANK = 1
const MISSING_RANK = 3

function rankOf(value: SortValue): number {
  if (typeof value === 'string') return value === '' ? MISSING_RANK : 2
  return Number.isNaN(value) ? NAN_RANK : 0
}

/** Infinities are equal to themselves, which their difference would not say. */
function compareNumbers(a: number, b: number): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** Whether the first character is one that numbers begin with: most texts need no second look. */
function mayBeNumber(text: string): boolean {
  return text !== '' && '0123456789+-.iInN'.includes(text.charAt(0))
}
