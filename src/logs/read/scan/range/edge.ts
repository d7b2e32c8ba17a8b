/** `first_over_time` and `last_over_time`: the value of the earliest or latest sample; equal times go by order of insertion. */
import type { RangeFold } from './sample.ts'
import { stateFold } from './state-cells.ts'

/** Value, time, position. */
function edge(sign: 1 | -1): RangeFold {
  return stateFold({
    fields: 3,
    start(states, at, { value, time, position }) {
      states[at] = value
      states[at + 1] = time
      states[at + 2] = position
    },
    add(states, at, { value, time, position }) {
      const distance = time - states[at + 1]! || position - states[at + 2]!
      if (sign * distance >= 0) return
      states[at] = value
      states[at + 1] = time
      states[at + 2] = position
    },
    merge(states, at, others, from) {
      const distance = others[from + 1]! - states[at + 1]! || others[from + 2]! - states[at + 2]!
      if (sign * distance < 0) for (let i = 0; i < 3; i++) states[at + i] = others[from + i]!
    },
    finish: (states, at) => states[at]!,
  })
}

export const first = edge(1)
export const last = edge(-1)
