import type { RowPlace } from './scan-job.ts'

/** Negative when `a` comes before `b` in the order of time, forward. */
export function comparePlaces(a: RowPlace, b: RowPlace): number {
  // the difference of two infinities is none
  return compare(a.time, b.time) || compare(a.key, b.key) || compare(a.order, b.order) || compare(a.row, b.row)
}

function compare(a: number, b: number): number {
  return a < b ? -1 : a > b ? 1 : 0
}
