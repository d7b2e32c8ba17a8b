/** How range functions make values of samples. Functions that only count rows or bytes are not here: see ../diff-table.ts. */
import { counter } from './counter.ts'
import { stddev, stdvar } from './deviation.ts'
import { distinct } from './distinct.ts'
import { first, last } from './edge.ts'
import { max, min } from './extreme.ts'
import { mean } from './mean.ts'
import { quantile } from './quantile.ts'
import type { RangeFold } from './sample.ts'
import { sum } from './sum.ts'

/** By the name of the function. */
export const rangeFolds: ReadonlyMap<string, RangeFold> = new Map([
  ['rate', sum],
  ['sum_over_time', sum],
  ['avg_over_time', mean],
  ['min_over_time', min],
  ['max_over_time', max],
  ['stdvar_over_time', stdvar],
  ['stddev_over_time', stddev],
  ['quantile_over_time', quantile],
  ['first_over_time', first],
  ['last_over_time', last],
  ['rate_counter', counter],
  ['count_distinct_over_time', distinct],
])
