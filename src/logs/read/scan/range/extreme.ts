/** `min_over_time` and `max_over_time`: any number replaces NaN. */
import type { RangeFold } from './sample.ts'
import { stateFold } from './state-cells.ts'

function extreme(isBetter: (value: number, than: number) => boolean): RangeFold {
  const offer = (states: Float64Array, at: number, value: number): void => {
    const current = states[at]!
    if (isBetter(value, current) || Number.isNaN(current)) states[at] = value
  }
  return stateFold({
    fields: 1,
    start: (states, at, { value }) => void (states[at] = value),
    add: (states, at, { value }) => offer(states, at, value),
    merge: (states, at, others, from) => offer(states, at, others[from]!),
    finish: (states, at) => states[at]!,
  })
}

export const min = extreme((value, than) => value < than)
export const max = extreme((value, than) => value > than)
