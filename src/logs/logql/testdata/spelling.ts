/**
 * Writes a syntax tree in one of the many ways that the grammar allows besides the canonical one: pipelines behind the range, groupings
 * behind the call, needless parentheses and signs, `and` as comma or blank, other quotes, blanks, comments and capitals.
 */
import { quoteGo } from '#/kernel/go-quote.ts'
import type {
  BinaryExpr,
  Expr,
  LogExpr,
  LogRange,
  Matcher,
  MetricExpr,
  RangeAggregation,
  Unwrap,
  VectorAggregation,
} from '#/logs/logql/ast/nodes.ts'
import type { LabelChoice, LabelPredicate, LineFilterNode, StageNode } from '#/logs/logql/ast/stage-nodes.ts'
import { printNumber, printPlainNumber } from '#/logs/logql/ast/literals.ts'

const blanks = [' ', ' ', '\n', '\t\r\n', ' # so\n', ' /* so */ ', ' // so\n']
const precedences = new Map(
  [['or'], ['and', 'unless'], ['==', '!=', '<', '<=', '>', '>='], ['+', '-'], ['*', '/', '%'], ['^']].flatMap(
    (ops, level) => ops.map((op) => [op, level] as const),
  ),
)

/** `choose(n)` gives a number from 0 to n - 1; always 0 gives the plainest text. */
export function spell(expr: Expr, choose: (count: number) => number): string {
  return new Speller(choose).expr(expr)
}

class Speller {
  readonly #choose: (count: number) => number

  constructor(choose: (count: number) => number) {
    this.#choose = choose
  }

  expr(expr: Expr): string {
    const text = expr.kind === 'log' ? this.#log(expr) : this.#metric(expr)
    return this.#maybe() ? `(${text}${this.#blank()})` : text
  }

  #maybe(): boolean {
    return this.#choose(4) === 3
  }

  #one<T>(...ways: readonly T[]): T {
    return ways[this.#choose(ways.length)]!
  }

  #blank(): string {
    return blanks[this.#choose(blanks.length)]!
  }

  /** Where tokens need nothing between them. */
  #gap(): string {
    return this.#maybe() ? this.#blank() : ''
  }

  #keyword(word: string): string {
    return this.#maybe() ? word.toUpperCase() : word
  }

  /** A string in any quotes; `raw` is the flag of those that keep their backticks, undefined where there is none. */
  #string(text: string, raw?: boolean): string {
    const mayBeRaw = !/[`\r]/.test(text) && raw === undefined
    return raw === true || (mayBeRaw && this.#maybe()) ? `\`${text}\`` : quoteGo(text)
  }

  /** Where the flag is only kept for texts with quotes in them. */
  #quotable(text: string, raw: boolean): string {
    return this.#string(text, text.includes('"') ? raw : undefined)
  }

  #list(items: readonly string[]): string {
    return items.join(`${this.#gap()},${this.#gap()}`)
  }

  #labels(labels: readonly string[]): string {
    return `(${this.#gap()}${this.#list(labels)}${this.#gap()})`
  }

  #matcher({ name, op, value }: Matcher): string {
    return `${name}${this.#gap()}${op}${this.#gap()}${this.#string(value)}`
  }

  #log({ matchers, stages }: LogExpr): string {
    return this.#selector(matchers) + this.#stages(stages)
  }

  #selector(matchers: readonly Matcher[]): string {
    return `{${this.#gap()}${this.#list(matchers.map((matcher) => this.#matcher(matcher)))}${this.#gap()}}`
  }

  #stages(stages: readonly StageNode[]): string {
    return stages.map((stage) => this.#gap() + this.#stage(stage)).join('')
  }

  #stage(node: StageNode): string {
    if (node.kind === 'line_filter') return this.#lineFilter(node)
    if (node.kind === 'label_filter') return `|${this.#gap()}${this.#topFilter(node.filter)}`
    const rest = this.#arguments(node)
    const keyword = this.#keyword(node.kind === 'sort' ? 'sort by' : node.kind)
    return `|${this.#gap()}${keyword}${rest === '' ? '' : this.#blank() + rest}`
  }

  #lineFilter({ op, ignoreCase, operands }: LineFilterNode): string {
    const texts = operands.map(({ kind, value, raw }) =>
      kind === 'ip' ? `${this.#keyword('ip')}(${this.#string(value)})` : this.#quotable(value, raw),
    )
    const modifier = ignoreCase ? `${this.#gap()}i` : ''
    return `${op}${modifier}${this.#gap()}${texts.join(`${this.#gap()}${this.#keyword('or')}${this.#blank()}`)}`
  }

  #arguments(node: Exclude<StageNode, { kind: 'line_filter' | 'label_filter' }>): string {
    switch (node.kind) {
      case 'json':
        return this.#list(node.extractions.map(({ label, expression }) => this.#extraction(label, expression)))
      case 'logfmt': {
        const flags = [...(node.strict ? ['--strict'] : []), ...(node.keepEmpty ? ['--keep-empty'] : [])]
        if (this.#maybe()) flags.reverse()
        const list = this.#list(node.extractions.map(({ label, key }) => this.#extraction(label, key)))
        return [...flags, ...(list === '' ? [] : [list])].join(' ')
      }
      case 'regexp':
      case 'pattern':
        return this.#string(node.pattern)
      case 'line_format':
        return this.#quotable(node.template, node.raw)
      case 'label_format':
        return this.#list(
          node.formats.map((format) => {
            const value = format.kind === 'rename' ? format.source : this.#quotable(format.template, format.raw)
            return `${format.target}${this.#gap()}=${this.#gap()}${value}`
          }),
        )
      case 'drop':
      case 'keep':
        return this.#list(node.choices.map((choice) => this.#choice(choice)))
      case 'distinct':
        return this.#list(node.labels)
      case 'sort':
        return node.label + (node.descending ? ` ${this.#keyword('desc')}` : this.#one('', ' asc'))
      case 'limit':
        return printPlainNumber(node.count)
      case 'unpack':
      case 'decolorize':
        return ''
    }
  }

  #extraction(label: string, expression: string): string {
    if (label === expression && this.#maybe()) return label
    return `${label}${this.#gap()}=${this.#gap()}${this.#string(expression)}`
  }

  #choice(choice: LabelChoice): string {
    return choice.kind === 'name' ? choice.name : this.#matcher(choice)
  }

  /** A name that would begin another stage stands in parentheses. */
  #topFilter(filter: LabelPredicate): string {
    const text = this.#filter(filter)
    const isStage = filter.kind === 'in' && filter.name.toLowerCase() === 'distinct'
    return isStage || this.#maybe() ? `(${this.#gap()}${text}${this.#gap()})` : text
  }

  #filter(filter: LabelPredicate): string {
    if (filter.kind === 'and') return this.#and(filter.terms, this.#one(' and ', ',', ' , ', this.#blank()))
    if (filter.kind !== 'or') return this.#comparison(filter)
    return filter.terms
      .map((term) => (term.kind === 'and' && this.#maybe() ? this.#and(term.terms, ' and ') : this.#term(term)))
      .join(`${this.#blank()}${this.#keyword('or')}${this.#blank()}`)
  }

  #and(terms: readonly LabelPredicate[], separator: string): string {
    return terms.map((term) => this.#term(term)).join(separator)
  }

  #term(term: LabelPredicate): string {
    const isJoined = term.kind === 'and' || term.kind === 'or'
    return isJoined || this.#maybe() ? `(${this.#filter(term)}${this.#gap()})` : this.#filter(term)
  }

  #comparison(filter: Exclude<LabelPredicate, { kind: 'and' | 'or' }>): string {
    const { name } = filter
    if (filter.kind === 'in') {
      return `${name}${this.#blank()}${this.#keyword('in')}${this.#gap()}(${this.#gap()}${this.#log(filter.query)}${this.#gap()})`
    }
    const op = filter.op === '==' && this.#maybe() ? '=' : filter.op
    const head = `${name}${this.#gap()}${op}${this.#gap()}`
    switch (filter.kind) {
      case 'text':
        return head + this.#string(filter.value, filter.op === '=~' || filter.op === '!~' ? filter.raw : undefined)
      case 'ip':
        return `${head}ip(${this.#string(filter.pattern)})`
      case 'number':
        return head + this.#number(filter.value)
      case 'duration':
        return `${head}${printPlainNumber(filter.value)}ns`
      case 'bytes':
        return `${head}${printPlainNumber(filter.value)}B`
    }
  }

  #number(value: number): string {
    const text = this.#one(printPlainNumber, printNumber)(value)
    return text.startsWith('-') ? text : this.#one('', '+') + text
  }

  #metric(expr: MetricExpr): string {
    if (expr.kind !== 'number' && this.#maybe()) return `(${this.#plainMetric(expr)}${this.#gap()})`
    return this.#plainMetric(expr)
  }

  #plainMetric(expr: MetricExpr): string {
    switch (expr.kind) {
      case 'range_aggregation':
        return this.#rangeAggregation(expr)
      case 'vector_aggregation':
        return this.#vectorAggregation(expr)
      case 'binary':
        return this.#binary(expr)
      case 'label_replace': {
        const strings = [expr.target, expr.replacement, expr.source, expr.regex].map((text) => this.#string(text))
        return `${this.#keyword('label_replace')}(${this.#list([this.#metric(expr.expr), ...strings])})`
      }
      case 'number':
        return this.#number(expr.value)
      case 'vector':
        return `${this.#keyword('vector')} (${printPlainNumber(expr.value)}${this.#gap()})`
    }
  }

  #rangeAggregation({ op, parameter, label, range, grouping }: RangeAggregation): string {
    const before = label ?? (parameter === undefined ? undefined : printPlainNumber(parameter))
    const args = [...(before === undefined ? [] : [before]), this.#range(range)]
    const behind = grouping ? ` ${this.#keyword(grouping.kind)}${this.#labels(grouping.labels)}` : ''
    return `${this.#keyword(op)}${this.#one('', ' ', '\n')}(${this.#list(args)}${this.#gap()})${behind}`
  }

  #range(range: LogRange): string {
    const { log, unwrap } = range
    const window = this.#window(range)
    const selector = this.#selector(log.matchers)
    const rest = this.#stages(log.stages) + (unwrap ? this.#unwrap(unwrap) : '')
    const ways = [`${selector}${rest} ${window}`, `${selector}${window} ${rest}`, `(${selector}${rest})${window}`]
    if (unwrap && log.stages.length === 0) ways.push(`(${selector})${window}${rest}`)
    const text = this.#one(...ways)
    return this.#maybe() ? `(${text})` : text
  }

  #window({ rangeNs, offsetNs }: LogRange): string {
    const offset = offsetNs === 0 ? '' : ` ${this.#keyword('offset')} ${printPlainNumber(offsetNs)}ns`
    return `[${rangeNs / 1e6}ms]${offset}`
  }

  #unwrap({ label, conversion, filters }: Unwrap): string {
    const value = conversion ? `${this.#keyword(conversion)}(${label})` : label
    return ` |${this.#gap()}${this.#keyword('unwrap')} ${value}${this.#stages(filters)}`
  }

  #vectorAggregation({ op, parameter, expr, grouping }: VectorAggregation): string {
    const clause = grouping
      ? ` ${this.#keyword(grouping.kind)}${this.#one('', ' ')}${this.#labels(grouping.labels)}`
      : ''
    const args = [...(parameter === undefined ? [] : [printPlainNumber(parameter)]), this.#metric(expr)]
    const call = `(${this.#list(args)}${this.#gap()})`
    return this.#keyword(op) + this.#one(`${clause}${call}`, `${call}${clause}`)
  }

  /** Legs that are operations stand in parentheses, save where the operators need none. */
  #binary({ op, returnBool, matching, left, right }: BinaryExpr): string {
    const level = precedences.get(op)!
    const bool = returnBool ? ` ${this.#keyword('bool')}` : ''
    const leftText = this.#leg(left, op === '^' ? level + 1 : level)
    const rightText = this.#leg(right, op === '^' ? level : level + 1)
    if (!matching) return `${leftText} ${this.#keyword(op)}${bool} ${rightText}`
    const { kind, labels, group } = matching
    const needsList = group && (group.include.length > 0 || rightText.startsWith('('))
    const list = needsList || this.#maybe() ? this.#labels(group?.include ?? []) : ''
    const side = group ? ` ${this.#keyword(`group_${group.side}`)}${list}` : ''
    return `${leftText} ${this.#keyword(op)}${bool} ${this.#keyword(kind)}${this.#labels(labels)}${side} ${rightText}`
  }

  #leg(expr: MetricExpr, level: number): string {
    if (expr.kind !== 'binary') return this.#metric(expr)
    const text = this.#binary(expr)
    return precedences.get(expr.op)! >= level && this.#maybe() ? text : `(${text})`
  }
}
