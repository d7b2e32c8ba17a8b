/**
 * V8's linear-time regular expression engine. Backtracking is faster on honest patterns; with these flags it gives up after
 * a few thousand steps back and the linear engine takes over, for every expression that the flag `l` accepts.
 */
import { setFlagsFromString } from 'node:v8'

/** Must run in the main thread before any worker starts, which inherits it. Calling it again changes nothing. */
export function enableLinearRegex(): void {
  setFlagsFromString('--enable-experimental-regexp-engine')
  setFlagsFromString('--enable-experimental-regexp-engine-on-excessive-backtracks')
  setFlagsFromString('--regexp-backtracks-before-fallback=2000')
}

/** Known to V8 only once the engine is enabled. */
const linearFlag: string = 'l'

/** Whether V8 promises to run the expression in linear time; false for all when the engine is not enabled. */
export function isLinear(source: string): boolean {
  try {
    RegExp(source, linearFlag)
    return true
  } catch {
    return false
  }
}
