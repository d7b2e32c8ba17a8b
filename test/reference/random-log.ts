/** Random log queries as text, in the words of the data they are put to, so that most of them find something. */
import { quoteGo } from '#/kernel/go-quote.ts'
import type { Chance } from './chance.ts'
import { keys, labels, values, type DataSet } from './random-data.ts'
import { randomTemplate } from './random-template.ts'

export const comparisons = ['==', '!=', '>', '>=', '<', '<=']
const compare = ['=', ...comparisons, '!=', '>', '>=']

export class LogWriter {
  readonly #chance: Chance
  readonly #shapes: ReadonlySet<string>
  readonly #lines: readonly string[]
  /** How deep in subqueries the text at hand is. */
  #depth = 0

  constructor(chance: Chance, { shapes, sources }: DataSet) {
    this.#chance = chance
    this.#shapes = new Set(shapes)
    this.#lines = sources.flatMap(({ entries }) => entries.map(({ line }) => line))
  }

  /** `withTail`: may end with stages that look at all entries together. */
  query(withTail: boolean): string {
    const stages = this.stages(this.#chance.pick([0, 1, 1, 2, 2, 3, 4]), true)
    return `${this.selector()}${stages}${withTail ? this.#tail() : ''}`
  }

  selector(): string {
    return this.#chance.weighted([
      [9, () => '{app=~".+"}'],
      [2, () => '{app=~"api|web"}'],
      [2, () => '{env="prod"}'],
      [1, () => '{app="api"}'],
      [1, () => '{app=~".+", env!="dev"}'],
      [1, () => '{app=~"w.*|db", level=""}'],
      [1, () => '{app=~".+", pod!~"p.*", zone!="q"}'],
      [0.2, () => '{app="none"}'],
    ])
  }

  /** `withErrors`: entries with an error may come out, as log queries like them. */
  stages(count: number, withErrors: boolean): string {
    const chance = this.#chance
    const stages: string[] = []
    if (chance.is(0.3)) stages.push(this.lineFilter())
    if (chance.is(0.12)) stages.push(this.labelFilter(['level', 'trace', 'env', 'app', 'user']))
    for (let i = 0; i < count; i++) {
      stages.push(
        ...chance.weighted<string[]>([
          [5, () => this.parser()],
          [2, () => [this.labelFilter(keys)]],
          [0.7, () => [this.lineFilter()]],
          [1, () => [this.#lineFormat()]],
          [1.5, () => [this.#labelFormat()]],
          [1, () => [`| drop ${this.#choices()}`]],
          [1, () => [`| keep app, ${this.#choices()}`]],
          [0.4, () => ['| decolorize']],
        ]),
      )
    }
    if (!withErrors || chance.is(0.1)) stages.push(...this.#errorStages())
    return stages
      .map((stage, at) => (isReadAsMatcher(stages[at - 1], stage) ? ` | app!="none" ${stage}` : ` ${stage}`))
      .join('')
  }

  #tail(): string {
    const chance = this.#chance
    const distinct = chance.is(0.15) ? ` | distinct ${chance.subset(labels, 1, 3).join(', ')}` : ''
    const sort = chance.is(0.15) ? ` | sort by ${chance.pick(labels)}${chance.pick(['', ' desc', ' asc'])}` : ''
    const limit = chance.is(0.15) ? ` | limit ${chance.pick([1, 3, 10, 1000])}` : ''
    return distinct + sort + limit
  }

  #errorStages(): string[] {
    return this.#chance.weighted<string[]>([
      [6, () => ['| __error__=""']],
      [2, () => []],
      [1, () => ['| drop __error__, __error_details__']],
      [1, () => ['| __error__!~"JSON.*"', '| drop __error_details__']],
      [0.6, () => ['| __error__!=""', '| drop __error_details__']],
    ])
  }

  lineFilter(): string {
    const chance = this.#chance
    const needle = (): string =>
      quoteGo(chance.is(0.7) ? this.#piece() : chance.pick(['', 'o', '=', 'é', '日本', 'x ', 'none']))
    const regex = (): string =>
      quoteGo(
        chance.pick([
          'o|e',
          '^\\{',
          '(?i)ERROR',
          't.meout|é',
          '\\d+',
          '"$',
          '.*',
          'n.?=',
          '[^ ]+ - ',
          '^$',
          '(?i)é',
          'user',
        ]),
      )
    const pattern = (): string =>
      quoteGo(
        chance.pick(['<_>', '<_>=<_>', '{<_>}', '<_> - <_>', '<_> GET', '', 'o<_>', '<_>"status":<_>', '<_>é<_>']),
      )
    const ip = (): string =>
      `ip("${chance.pick(['10.0.0.0/8', '10.0.0.7', '192.168.1.1-192.168.1.20', '210.0.0.7', '2001:db8::/32', '::1', 'fe80::-fe80::ff'])}")`
    const chain = (operand: () => string): string => chance.some(chance.pick([1, 1, 2, 3]), operand).join(' or ')
    return chance.weighted([
      [6, () => `|= ${chain(needle)}`],
      [2, () => `!= ${chain(() => quoteGo(chance.pick(['zz', 'ok', 'error', 'bad', '日本', 'none'])))}`],
      [3, () => `|~ ${chain(regex)}`],
      [1, () => `!~ ${chain(regex)}`],
      [1.5, () => `|> ${chain(pattern)}`],
      [0.7, () => `!> ${chain(pattern)}`],
      [0.7, () => `|= ${chain(ip)}`],
      [0.5, () => `!= ${chain(() => (chance.is(0.7) ? ip() : '"timeout"'))}`],
      [
        1.5,
        () =>
          `${chance.pick(['|=', '|=', '!='])}i ${chain(() => quoteGo(chance.pick(['ERROR', 'get', 'É', 'ä', 'Status', 'k', 'N', ''])))}`,
      ],
    ])
  }

  /** A piece of some line, or what one line ends and another one begins with. */
  #piece(): string {
    const chance = this.#chance
    const line = (): string[] => Array.from(this.#lines.length > 0 ? chance.pick(this.#lines) : 'none')
    if (chance.is(0.15)) return [...line().slice(-1), ...line().slice(0, 1)].join('')
    const characters = line()
    const from = chance.int(0, characters.length)
    return characters.slice(from, from + chance.pick([1, 2, 3, 4, 4, 8, 12])).join('')
  }

  /** `often` when lines of one of these kinds are there, else seldom. */
  #weight(often: number, ...shapes: string[]): number {
    return shapes.some((shape) => this.#shapes.has(shape)) ? often : often / 10
  }

  /** A parser, sometimes behind a line filter for what it can parse. */
  parser(): string[] {
    const chance = this.#chance
    const before = (filter: string): string[] => (chance.is(0.4) ? [filter] : [])
    const json = this.#weight(4, 'json', 'packed', 'garbage', 'openJson')
    const logfmt = this.#weight(4, 'logfmt', 'garbage', 'openLogfmt')
    return chance.weighted<string[]>([
      [json, () => [...before('|~ "^\\\\{.*\\\\}$"'), '| json']],
      [json / 2, () => [`| json ${chance.some(chance.int(1, 3), () => this.#jsonExtraction()).join(', ')}`]],
      [logfmt, () => [...before('|= "="'), `| logfmt${this.#flags()}`]],
      [
        logfmt / 2,
        () => [`| logfmt${this.#flags()} ${chance.some(chance.int(1, 3), () => this.#logfmtExtraction()).join(', ')}`],
      ],
      [1.5, () => [`| regexp ${quoteGo(chance.pick(regexps))}`]],
      [this.#weight(3, 'access'), () => [`| pattern ${quoteGo(patterns[0]!)}`]],
      [1, () => [`| pattern ${quoteGo(chance.pick(patterns))}`]],
      [this.#weight(3, 'packed'), () => ['| unpack']],
    ])
  }

  #jsonExtraction(): string {
    return this.#chance.pick([
      'status',
      'n',
      'm="http.method"',
      'm="http[\\"status code\\"]"',
      'copy="list[1]"',
      'copy="http"',
      'n="http.deep.n"',
      'copy="list[2].n"',
      'user',
      'app',
      'trace',
      'latency',
      'size',
      'copy="none"',
      'copy="text"',
      'c',
    ])
  }

  #logfmtExtraction(): string {
    return this.#chance.pick([
      'status',
      'n',
      'm="msg"',
      'user',
      'app',
      'copy="user"',
      'trace',
      'latency',
      'size',
      'copy="x.y"',
      'm="bare"',
      'c',
    ])
  }

  #flags(): string {
    return this.#chance.weighted([
      [6, () => ''],
      [this.#weight(6, 'openLogfmt') + 1, () => ' --strict'],
      [1, () => ' --keep-empty'],
      [0.5, () => ' --strict --keep-empty'],
    ])
  }

  labelFilter(names: readonly string[]): string {
    const chance = this.#chance
    const atom = (): string => this.#atom(names)
    return `| ${chance.weighted([
      [6, atom],
      [1.5, () => `${atom()} or ${atom()}`],
      [1.5, () => `${atom()} and ${atom()}`],
      [0.5, () => `${atom()}, ${atom()}`],
      [0.7, () => `(${atom()} or ${atom()}) and ${atom()}`],
      [0.7, () => `(${atom()} and ${atom()}) or ${atom()}`],
    ])}`
  }

  #atom(names: readonly string[]): string {
    const chance = this.#chance
    const name = chance.pick(names)
    const text = (): string => chance.pick([...(values[name] ?? ['GET', 'prod', 'two']), '', 'none'])
    const op = chance.pick(compare)
    const kinds = names.includes('status') ? 1 : 0.1
    return chance.weighted([
      [2.5, () => `${name}=${quoteGo(text())}`],
      [4, () => `${name}!=${quoteGo(text())}`],
      [2, () => `${name}=~${quoteGo(chance.pick(['.+', '.*', '[a-u].*', '\\d+', 'u1|t1|info', '(?i)PROD|API']))}`],
      [2, () => `${name}!~${quoteGo(chance.pick(['u.*', 't[12]', '5..', 'x', '']))}`],
      [
        3 * kinds,
        () =>
          `${chance.pick(['status', 'n', 'c', 'n', name])} ${op} ${chance.pick(['0', '2', '2.5', '200', '404', '-1', '1e2'])}`,
      ],
      [
        1.5 * kinds,
        () => `${chance.pick(['latency', 'latency', name])} ${op} ${chance.pick(['250ms', '1s', '1m30s', '1h'])}`,
      ],
      [
        1.5 * kinds,
        () => `${chance.pick(['size', 'size', name])} ${op} ${chance.pick(['1KB', '512B', '2MiB', '1.5kB'])}`,
      ],
      [
        0.7 * kinds,
        () =>
          `${chance.pick(['ip', 'ip', name])} ${chance.pick(['=', '!='])} ip("${chance.pick(['10.0.0.0/8', '192.168.1.9', '2001:db8::/16'])}")`,
      ],
      [this.#depth < 2 ? 0.5 : 0, () => `${name} in (${this.#subquery(name)})`],
      [0.4, () => `__error__ ${chance.pick(['=', '!='])} ""`],
    ])
  }

  /** Finds values of the same label most of the time. */
  #subquery(name: string): string {
    const chance = this.#chance
    this.#depth++
    const parser = chance.is(0.3) ? [] : this.parser()
    const filter = chance.is(0.3) ? [this.labelFilter(keys)] : []
    this.#depth--
    const label = chance.is(0.8) ? name : chance.pick(labels)
    return [this.selector(), ...parser, ...filter, `| keep ${label}`].join(' ')
  }

  #lineFormat(): string {
    return `| line_format ${quoteGo(randomTemplate(this.#chance))}`
  }

  #labelFormat(): string {
    const chance = this.#chance
    const formats = chance
      .subset(['copy', 'm', 'app', 'n', 'level', 'status', 'fresh'], 1, 3)
      .map((target) =>
        chance.is(0.5) ? `${target}=${chance.pick(labels)}` : `${target}=${quoteGo(randomTemplate(this.#chance))}`,
      )
    return `| label_format ${formats.join(', ')}`
  }

  #choices(): string {
    const chance = this.#chance
    return chance
      .subset(labels, 1, 4)
      .map((name) =>
        chance.is(0.7) ? name : `${name}${chance.pick(['="200"', '!="u1"', '=~".+"', '!~"t.*"', '=""'])}`,
      )
      .join(', ')
  }

  /** Stages that give labels with numbers in them. */
  valueStages(): string {
    const chance = this.#chance
    const before = chance.is(0.3) ? ` ${this.lineFilter()}` : ''
    const parser = chance.weighted([
      [this.#weight(3, 'json', 'packed', 'openJson'), () => chance.pick(['| json', '| json n, c, latency, size'])],
      [this.#weight(3, 'logfmt', 'openLogfmt'), () => chance.pick(['| logfmt', '| logfmt n, c, latency, size'])],
      [this.#weight(3, 'access'), () => `| pattern ${quoteGo(patterns[0]!)}`],
      [this.#weight(3, 'packed'), () => '| unpack | logfmt'],
      [1.5, () => '| json | logfmt'],
      [1.5, () => '| regexp "(?P<n>\\\\d+)"'],
    ])
    const after = chance.is(0.3) ? this.stages(1, true) : ''
    return `${before} ${parser}${after}${chance.is(0.75) ? ' | __error__=""' : ''}`
  }
}

/** `keep a != "x"` is a matcher of `a`, not a line filter. */
const isReadAsMatcher = (before: string | undefined, stage: string): boolean =>
  /^\| (drop|keep) /.test(before ?? '') && stage.startsWith('!')

const regexps = [
  '(?P<m>[a-z]+)=(?P<copy>\\S*)',
  '"(?P<m>GET|PUT) (?P<path>[^"]*)" (?P<status>\\d+)?',
  '(?P<n>\\d+)',
  '(?P<user>u\\d)|(?P<m>é)',
  '^(?P<app>\\S+)',
]
const patterns = [
  '<ip> - <user> "<m> <path>" <status> <latency> <size>',
  '<m>=<copy> <_>',
  '{"<m>":<n>,<_>',
  '<_>status<m> ',
  '<user>',
  'x<n>',
]
