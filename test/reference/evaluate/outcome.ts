/** What a metric query may come to, apart from numbers. */

/** The query fails, for a reason of this kind. */
export class ReferenceFailure extends Error {
  readonly reason: 'pipeline error' | 'matching' | 'instant only'

  constructor(reason: ReferenceFailure['reason']) {
    super(reason)
    this.reason = reason
  }
}

/** The language leaves the answer open: equal values at the edge of a top list, entries of one time in an order that decides. */
export class Undecided extends Error {}

/** Whether a sum of the same numbers in another order might turn one into the other. */
export function areClose(a: number, b: number): boolean {
  if (Object.is(a, b) || a === b) return true
  return Math.abs(a - b) <= 1e-9 * Math.max(Math.abs(a), Math.abs(b), 1)
}
