/**
 * The tables of functions: what parser and reference documentation must know. Evaluation of range functions is in
 * `read/scan`, of vector functions in `src/series`.
 */
export type RangeFunction = {
  readonly name: string
  /** A number before the log range, or the name of a label. */
  readonly parameter: 'none' | 'required' | 'label'
  readonly unwrap: 'required' | 'forbidden' | 'optional'
  /** Whether `by (…)` or `without (…)` may follow. */
  readonly grouping: boolean
  readonly doc: string
}

export type VectorFunction = {
  readonly name: string
  /** A whole number of at least 1 before the vector. */
  readonly parameter: 'none' | 'required'
  readonly grouping: boolean
  readonly doc: string
}

const rangeTable: readonly RangeFunction[] = [
  range('count_over_time', 'forbidden', false, 'Number of entries in the range.'),
  range('rate', 'optional', false, 'Entries per second; with unwrap the sum of the values per second.'),
  range('rate_counter', 'required', false, 'Increase per second of a value that only grows, apart from resets.'),
  range('bytes_over_time', 'forbidden', false, 'Bytes of all lines in the range.'),
  range('bytes_rate', 'forbidden', false, 'Bytes of lines per second.'),
  range('sum_over_time', 'required', false, 'Sum of the values.'),
  range('avg_over_time', 'required', true, 'Mean of the values.'),
  range('min_over_time', 'required', true, 'Least value.'),
  range('max_over_time', 'required', true, 'Greatest value.'),
  range('stdvar_over_time', 'required', true, 'Population variance of the values.'),
  range('stddev_over_time', 'required', true, 'Population standard deviation of the values.'),
  {
    ...range('quantile_over_time', 'required', true, 'The value below which this share of the values lies.'),
    parameter: 'required',
  },
  range('first_over_time', 'required', true, 'Value of the earliest entry.'),
  range('last_over_time', 'required', true, 'Value of the latest entry.'),
  {
    ...range('count_distinct_over_time', 'forbidden', true, 'Number of different values of a label. Not in Loki.'),
    parameter: 'label',
  },
  range('absent_over_time', 'optional', false, '1 when the range holds no entry.'),
]

const vectorTable: readonly VectorFunction[] = [
  vector('sum', 'none', true, 'Sum of each group.'),
  vector('avg', 'none', true, 'Mean of each group.'),
  vector('min', 'none', true, 'Least value of each group.'),
  vector('max', 'none', true, 'Greatest value of each group.'),
  vector('count', 'none', true, 'Number of series in each group.'),
  vector('stddev', 'none', true, 'Population standard deviation of each group.'),
  vector('stdvar', 'none', true, 'Population variance of each group.'),
  vector('topk', 'required', true, 'The k largest series of each group, with their labels.'),
  vector('bottomk', 'required', true, 'The k smallest series of each group, with their labels.'),
  vector('approx_topk', 'required', false, 'The k largest series; may be approximate.'),
  vector('sort', 'none', false, 'The series of an instant query in ascending order.'),
  vector('sort_desc', 'none', false, 'The series of an instant query in descending order.'),
]

export const rangeFunctions: ReadonlyMap<string, RangeFunction> = new Map(rangeTable.map((fn) => [fn.name, fn]))
export const vectorFunctions: ReadonlyMap<string, VectorFunction> = new Map(vectorTable.map((fn) => [fn.name, fn]))

function range(name: string, unwrap: RangeFunction['unwrap'], grouping: boolean, doc: string): RangeFunction {
  return { name, parameter: 'none', unwrap, grouping, doc }
}

function vector(name: string, parameter: VectorFunction['parameter'], grouping: boolean, doc: string): VectorFunction {
  return { name, parameter, grouping, doc }
}
