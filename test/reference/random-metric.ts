/** Random metric queries as text. */
import { quoteGo } from '#/kernel/go-quote.ts'
import type { Chance } from './chance.ts'
import { keys, type DataSet } from './random-data.ts'
import { comparisons, LogWriter } from './random-log.ts'

export class MetricWriter {
  readonly #chance: Chance
  readonly #log: LogWriter

  constructor(chance: Chance, data: DataSet) {
    this.#chance = chance
    this.#log = new LogWriter(chance, data)
  }

  query(): string {
    return this.#metric(this.#chance.pick([0, 0, 1, 1, 1, 2, 2, 3]))
  }

  #metric(depth: number): string {
    const chance = this.#chance
    if (depth === 0) return this.#range('')
    const inner = (): string => this.#metric(depth - 1)
    return chance.weighted([
      [8, () => this.#aggregation(depth)],
      [2, () => `(${inner()}) ${chance.pick(arithmetic)} ${this.#number()}`],
      [1, () => `${this.#number()} ${chance.pick(arithmetic)} (${inner()})`],
      [2, () => `(${inner()}) ${chance.pick(comparisons)} ${chance.pick(['', 'bool '])}${this.#number()}`],
      [3, () => this.#matched(depth)],
      [3, () => this.#narrow()],
      [
        1.5,
        () =>
          `(${this.#leg('')}) ${chance.pick(['and', 'or', 'unless'])} ${this.#matching()}(${chance.is(0.5) ? inner() : this.#leg('')})`,
      ],
      [1, () => `(${inner()}) or vector(${chance.int(0, 3)})`],
      [1, () => `label_replace(${inner()}, ${this.#replacement()})`],
    ])
  }

  /** Groups by few labels, so that parsers look for these alone, in lines of which some are broken. */
  #narrow(): string {
    const chance = this.#chance
    const first = ['status', 'user', 'n']
    const names = chance.subset(chance.is(0.6) ? first : [...keys, 'http_method', 'app_extracted'], 1, 2).join(', ')
    const window = chance.pick(['30s', '1m', '3d'])
    const end = ` [${window}])) by (${names})`
    if (chance.is(0.3)) {
      const unwrap = `| unwrap ${chance.pick(['n', 'c', 'status', 'bytes(size)', 'duration(latency)'])}`
      const log = `${this.#log.selector()}${this.#log.valueStages()} ${unwrap} | __error__=""`
      return `${chance.pick(['sum', 'sum', 'min', 'max', 'avg'])}(${chance.pick(['sum_over_time', 'rate', 'min_over_time', 'max_over_time'])}(${log}${end}`
    }
    const parser = this.#log.parser().join(' ')
    const filter = chance.is(0.3) ? ` ${this.#log.labelFilter(keys)}` : ''
    return `${chance.pick(['sum', 'sum', 'count'])}(${chance.pick(['count_over_time', 'bytes_rate', 'absent_over_time'])}(${this.#log.selector()} ${parser}${filter}${end}`
  }

  #number(): string {
    return this.#chance.pick(['2', '0', '0.5', '-3', '100', '(1 + 2)', '1'])
  }

  #replacement(): string {
    const chance = this.#chance
    const target = chance.pick(['fresh', 'fresh', 'app', 'level'])
    const [replacement, regex] = chance.pick([
      ['$1', '(.*)'],
      ['${1}-x', '(.).*'],
      ['${first}$2', '(?P<first>.)(.*)'],
      ['fixed', '.+'],
      ['', '.*'],
      ['$1', 'no match'],
    ] as const)
    return [target, replacement, chance.pick(['app', 'env', 'level', 'trace']), regex].map(quoteGo).join(', ')
  }

  /** Two vectors that have something in common: groups by the same labels, or the same range twice. */
  #matched(depth: number): string {
    const chance = this.#chance
    const op = chance.pick([...arithmetic, ...comparisons, '> bool', '== bool'])
    const few = chance.subset(['app', 'env', 'level'], 1, 2).join(', ')
    const many = chance.pick(['app, env', 'app, level', 'app, env, level'])
    const one = chance.pick(['app', 'app', 'app, level'])
    const included = chance.pick(['', '(level)', '(level, env)', '()'])
    const sum = (names: string): string => `sum by (${names}) (${this.#leg(names)})`
    return chance.weighted([
      [1, () => `${this.#range('')} ${op} ${this.#matching()}${this.#range('')}`],
      [2, () => ((one) => `${one} ${op} ${this.#matching()}${one}`)(this.#leg(''))],
      [3, () => `${sum(few)} ${op} ${this.#matching()}${sum(chance.is(0.7) ? few : 'app')}`],
      [
        1,
        () => `${sum(few)} ${op} ${this.#matching()}${chance.pick(['count', 'max'])} by (${few}) (${this.#leg('app')})`,
      ],
      [2, () => `${sum(many)} ${op} on (app) group_left ${included} ${sum(one)}`],
      [1, () => `${sum(one)} ${op} on (app) group_right ${included} ${sum(many)}`],
      [0.5, () => `(${this.#metric(depth - 1)}) ${op} ${this.#matching()}(${this.#metric(depth - 1)})`],
    ])
  }

  /** A range aggregation that has samples more often than others, so that vectors meet. */
  #leg(grouping: string): string {
    const chance = this.#chance
    if (chance.is(0.3)) return this.#range(grouping)
    const filter = chance.is(0.3) ? this.#log.lineFilter() : ''
    return `${chance.pick(['count_over_time', 'rate', 'bytes_over_time'])}(${this.#log.selector()} ${filter} [${chance.pick(['30s', '1m', '3d'])}])`
  }

  #matching(): string {
    return this.#chance.weighted([
      [4, () => ''],
      [1, () => 'on (app) '],
      [1, () => 'on (app, env) '],
      [1, () => 'ignoring (level, trace) '],
      [0.5, () => 'ignoring (env) '],
      [0.3, () => 'on () '],
    ])
  }

  #aggregation(depth: number): string {
    const chance = this.#chance
    const op = chance.pick([...vectorOps, 'sum', 'sum', 'sum', 'topk', 'bottomk'])
    if (op === 'sort' || op === 'sort_desc') return `${op}(${this.#metric(depth - 1)})`
    const parameter = op.endsWith('k') ? `${chance.int(1, 3)}, ` : ''
    if (op === 'approx_topk') return `${op}(${parameter}sum by (${this.#names()}) (${this.#range('x')}))`
    const grouping = this.#grouping()
    const inner = depth === 1 ? this.#range(grouping) : this.#metric(depth - 1)
    return chance.is(0.7) ? `${op} ${grouping} (${parameter}${inner})` : `${op}(${parameter}${inner}) ${grouping}`
  }

  #grouping(): string {
    const chance = this.#chance
    return chance.weighted([
      [3, () => ''],
      [5, () => `by (${this.#names()})`],
      [0.4, () => 'by ()'],
      [2, () => `without (${this.#names()})`],
      [0.5, () => 'without ()'],
      [0.5, () => 'by (__error__, app)'],
    ])
  }

  #names(): string {
    return this.#chance
      .subset(['app', 'env', 'level', 'status', 'user', 'trace', 'level_extracted', 'm', 'n', 'fresh'], 1, 3)
      .join(', ')
  }

  /** A range aggregation; `grouping` around it decides how careful about errors it must be to find anything. */
  #range(grouping: string): string {
    const chance = this.#chance
    const op = chance.pick([...countingOps, ...countingOps, ...valueOps])
    const isCounting = countingOps.includes(op)
    const stages = this.#log.stages(chance.pick([0, 1, 1, 1, 2, 3]), grouping !== '' && chance.is(0.5))
    const window = chance.pick(['1s', '7s', '30s', '30s', '1m', '1m', '1m', '3d'])
    const offset = chance.weighted([
      [8, () => ''],
      [1, () => ' offset 2s'],
      [1, () => ' offset -3s'],
    ])
    if (op === 'count_distinct_over_time')
      return `${op}(${chance.pick(chance.is(0.5) ? ['app', 'env', 'level', 'trace'] : keys)}, ${this.#log.selector()}${stages} [${window}]${offset})`
    const isUnwrapped = !isCounting || ((op === 'rate' || op === 'absent_over_time') && chance.is(0.3))
    const log = isUnwrapped
      ? `${this.#log.selector()}${this.#log.valueStages()}${this.#unwrap()}`
      : `${this.#log.selector()}${stages}`
    const parameter = op === 'quantile_over_time' ? `${chance.pick(['0', '0.5', '0.9', '1', '0.25', '1.5'])}, ` : ''
    const own = groupable.includes(op) && chance.is(0.4) ? ` ${this.#grouping()}` : ''
    return `${op}(${parameter}${log} [${window}]${offset})${own}`
  }

  #unwrap(): string {
    const chance = this.#chance
    const label = chance.weighted([
      [5, () => chance.pick(['n', 'c', 'n', 'status'])],
      [2, () => `duration(${chance.pick(['latency', 'latency', 'n'])})`],
      [1, () => 'duration_seconds(latency)'],
      [2, () => 'bytes(size)'],
    ])
    const filters = chance.weighted([
      [6, () => ' | __error__=""'],
      [2, () => ''],
      [1, () => ' | __error__="" | n < 5'],
      [0.3, () => ' | __error__!=""'],
    ])
    return ` | unwrap ${label}${filters}`
  }
}

const arithmetic = ['+', '-', '*', '/', '%', '^']
const vectorOps = [
  'sum',
  'avg',
  'min',
  'max',
  'count',
  'stddev',
  'stdvar',
  'topk',
  'bottomk',
  'approx_topk',
  'sort',
  'sort_desc',
]
const countingOps = [
  'count_over_time',
  'rate',
  'bytes_over_time',
  'bytes_rate',
  'absent_over_time',
  'count_distinct_over_time',
]
const valueOps = [
  'rate_counter',
  'sum_over_time',
  'avg_over_time',
  'min_over_time',
  'max_over_time',
  'stdvar_over_time',
  'stddev_over_time',
  'quantile_over_time',
  'first_over_time',
  'last_over_time',
]
const groupable = [
  'avg_over_time',
  'min_over_time',
  'max_over_time',
  'stdvar_over_time',
  'stddev_over_time',
  'quantile_over_time',
  'first_over_time',
  'last_over_time',
]
