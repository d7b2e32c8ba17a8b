/** `sum_over_time`, and `rate` with unwrap: a sum that keeps what rounding lost (Neumaier), so that the order hardly matters. */
import { stateFold } from './state-cells.ts'

/** Adds `value` to the sum at `at`; its lost part stands behind it. */
function addValue(states: Float64Array, at: number, value: number): void {
  const sum = states[at]!
  const total = sum + value
  states[at] = total
  states[at + 1]! += Math.abs(sum) >= Math.abs(value) ? sum - total + value : value - total + sum
}

export const sum = stateFold({
  fields: 2,
  start(states, at, { value }) {
    states[at] = value
    states[at + 1] = 0
  },
  add: (states, at, { value }) => addValue(states, at, value),
  merge(states, at, others, from) {
    addValue(states, at, others[from]!)
    states[at + 1]! += others[from + 1]!
  },
  finish(states, at) {
    const lost = states[at + 1]!
    // an infinite sum has lost nothing, but the subtraction made it NaN
    return Number.isFinite(lost) ? states[at]! + lost : states[at]!
  },
})
