/** `stdvar_over_time` and `stddev_over_time`: population variance by Welford's method, merged by Chan's, and its square root. */
import type { RangeFold } from './sample.ts'
import { stateFold } from './state-cells.ts'

/** Count, mean, and sum of the squared distances from it. */
function deviation(finish: (variance: number) => number): RangeFold {
  return stateFold({
    fields: 3,
    start(states, at, { value }) {
      states[at] = 1
      states[at + 1] = value
      // NaN for an infinite value, as its distance from itself
      states[at + 2] = value - value
    },
    add(states, at, { value }) {
      const count = ++states[at]!
      const delta = value - states[at + 1]!
      const mean = states[at + 1]! + delta / count
      states[at + 1] = mean
      states[at + 2]! += delta * (value - mean)
    },
    merge(states, at, others, from) {
      const [count, otherCount] = [states[at]!, others[from]!]
      const total = count + otherCount
      const delta = others[from + 1]! - states[at + 1]!
      states[at] = total
      states[at + 1]! += delta * (otherCount / total)
      states[at + 2]! += others[from + 2]! + delta * delta * ((count * otherCount) / total)
    },
    finish: (states, at) => finish(states[at + 2]! / states[at]!),
  })
}

export const stdvar = deviation((variance) => variance)
export const stddev = deviation(Math.sqrt)
