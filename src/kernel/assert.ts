/** States what we believe. A failure is our bug: the request fails and, for storage state, the process stops. */
export class AssertionFailed extends Error {
  override readonly name = 'AssertionFailed'
}

/** Throws {@link AssertionFailed} when `condition` is false. `what` says what was believed, with the values. */
export function assert(condition: boolean, what: string): asserts condition {
  if (!condition) throw new AssertionFailed(`assertion failed: ${what}`)
}

/** Marks a place that no value can reach; the compiler checks it, and a value that gets here all the same is a bug. */
export function unreachable(value: never): never {
  throw new AssertionFailed(`unreachable value: ${JSON.stringify(value)}`)
}

/** Narrows away `undefined` where the code around proves that there is a value. */
export function defined<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new AssertionFailed(`assertion failed: ${what} is undefined`)
  return value
}
