/** Random names, texts, matchers and quantities for syntax trees. */
import fc, { type Arbitrary } from 'fast-check'
import type { Matcher } from '#/logs/logql/ast/nodes.ts'
import type { CompareOp } from '#/logs/logql/ast/stage-nodes.ts'

/** Names: plain ones, ones that are functions elsewhere, ones in other scripts. */
export const labelName: Arbitrary<string> = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom('app', 'env', 'level', 'status', '_x', 'a1', 'trace_id', '__error__') },
  {
    weight: 2,
    arbitrary: fc.constantFrom('rate', 'count', 'duration', 'ip', 'bytes', 'vector', 'sum', 'SORT', 'größe'),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      'distinct',
      'sort',
      'limit',
      'in',
      'i',
      'asc',
      'desc',
      'Distinct',
      'count_distinct_over_time',
    ),
  },
)
/** Texts with all that quoting must handle. */
export const text: Arbitrary<string> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.constantFrom(
      '',
      'error',
      'a b',
      'x"y',
      'x`y"',
      '\\d',
      'tab\tline\n',
      'ü',
      '\u{1f600}',
      '\u2028',
      '\0',
    ),
  },
  { weight: 1, arbitrary: fc.string({ maxLength: 12, unit: 'binary' }) },
)
/** RE2 expressions. */
export const regex: Arbitrary<string> = fc.constantFrom('a.+', 'x|y', '(?i)Err', '\\d+"', '', '[^"]*', '\\Qa.b\\E', '`')

export const matcher: Arbitrary<Matcher> = fc.oneof(
  fc.record({ name: labelName, op: fc.constantFrom('=' as const, '!=' as const), value: text }),
  fc.record({ name: labelName, op: fc.constantFrom('=~' as const, '!~' as const), value: regex }),
)
/** At least one matcher refuses the empty value, as queries must. */
export const matchers: Arbitrary<Matcher[]> = fc
  .tuple(
    fc.constantFrom<Matcher>({ name: 'app', op: '=', value: 'x' }, { name: 'app', op: '=~', value: 'x.+' }),
    fc.array(matcher, { maxLength: 3 }),
  )
  .map(([first, more]) => [...more, first])

export const compareOp = fc.constantFrom<CompareOp>('==', '!=', '>', '>=', '<', '<=')
export const number = fc.oneof(
  fc.integer({ min: -1000, max: 1000 }),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.constantFrom(0, -0, 0.5, 1e21, 1e-7, 5e-324, Number.MAX_VALUE, 1e6),
)
export const unsigned = number.map(Math.abs)
export const milliseconds = fc.integer({ min: 1, max: 2 ** 31 }).map((ms) => ms * 1e6)
export const durationNs = fc.oneof(
  milliseconds,
  milliseconds.map((ns) => -ns),
  fc.integer({ min: 0, max: 2 ** 40 }),
  fc.constantFrom(0, 300, 1500, 60e9, 90_061e9),
)
export const bytes = fc.oneof(fc.integer({ min: 0, max: 2 ** 45 }), fc.constantFrom(5000, 20_000, 5120, 999_949, 1e15))

/** A string with the flag that it keeps its backticks: only where it has quotes and can be raw. */
export const rawable = (source: Arbitrary<string>): Arbitrary<{ value: string; raw: boolean }> =>
  source.chain((value) =>
    (value.includes('"') && !/[`\r]/.test(value) ? fc.boolean() : fc.constant(false)).map((raw) => ({ value, raw })),
  )
