/**
 * `avg_over_time`: a running mean, which no sum can overflow. An infinite mean stays what it is until the opposite infinity or
 * NaN arrives, which makes NaN.
 */
import { stateFold } from './state-cells.ts'

/** Count and mean. */
export const mean = stateFold({
  fields: 2,
  start(states, at, { value }) {
    states[at] = 1
    // a mean begins at 0, which makes 0 of -0
    states[at + 1] = 0 + value
  },
  add(states, at, { value }) {
    const count = ++states[at]!
    const before = states[at + 1]!
    states[at + 1] = isFinitePair(before, value) ? before + (value / count - before / count) : before + value
  },
  merge(states, at, others, from) {
    const [count, mean] = [states[at]!, states[at + 1]!]
    const [otherCount, otherMean] = [others[from]!, others[from + 1]!]
    const total = count + otherCount
    states[at] = total
    states[at + 1] = isFinitePair(mean, otherMean)
      ? mean * (count / total) + otherMean * (otherCount / total)
      : mean + otherMean
  },
  finish: (states, at) => states[at + 1]!,
})

function isFinitePair(a: number, b: number): boolean {
  return Number.isFinite(a) && Number.isFinite(b)
}
