/**
 * Names of the productions of the grammar: `allProductions` lists them from the tables and the unions of the syntax tree,
 * `productionsOf` says which ones a tree holds. A generator of trees that misses one tests less than it says.
 */
import type { Expr, Grouping, LogExpr, LogRange, MetricExpr, VectorMatching } from '#/logs/logql/ast/nodes.ts'
import type { LabelChoice, LabelFormat, LabelPredicate, StageNode } from '#/logs/logql/ast/stage-nodes.ts'
import { rangeFunctions, vectorFunctions } from '#/logs/logql/functions/index.ts'
import { stages } from '#/logs/logql/stages/index.ts'

const matchOps = ['=', '!=', '=~', '!~']
const compareOps = ['==', '!=', '>', '>=', '<', '<=']
const groupings = ['by', 'without', 'by ()', 'without ()']

export const allProductions: readonly string[] = [
  ...Object.keys(stages).map((kind) => `stage ${kind}`),
  'selector',
  ...matchOps.map((op) => `matcher ${op}`),
  ...['|=', '!=', '|~', '!~', '|>', '!>'].flatMap((op) => [
    `line filter ${op}`,
    `line filter ${op} or`,
    `line filter ${op} raw`,
  ]),
  ...['|=', '!='].flatMap((op) => [`line filter ${op} ip`, `line filter ${op}i`, `line filter ${op}i or`]),
  ...['json', 'logfmt'].flatMap((parser) => [`${parser} all`, `${parser} one`, `${parser} list`]),
  'logfmt strict',
  'logfmt keep-empty',
  ...['and', 'or', 'and in or', 'or in and'].map((join) => `filter ${join}`),
  ...matchOps.map((op) => `filter text ${op}`),
  'filter text raw',
  ...['number', 'duration', 'bytes'].flatMap((kind) => compareOps.map((op) => `filter ${kind} ${op}`)),
  ...['number', 'duration'].map((kind) => `filter ${kind} negative`),
  'filter ip =',
  'filter ip !=',
  'filter in',
  'filter in in',
  'line_format raw',
  'label_format rename',
  'label_format template',
  'label_format raw',
  ...['drop', 'keep'].flatMap((kind) => ['name', ...matchOps].map((form) => `${kind} ${form}`)),
  'distinct list',
  'sort desc',
  'sort asc',
  'unwrap',
  ...['bytes', 'duration', 'duration_seconds'].map((conversion) => `unwrap ${conversion}`),
  'unwrap filters',
  'offset',
  'offset negative',
  ...[...rangeFunctions.values()].flatMap(({ name, grouping, unwrap }) => [
    name,
    ...(grouping ? groupings.map((form) => `${name} ${form}`) : []),
    ...(unwrap === 'optional' ? [`${name} with unwrap`, `${name} without unwrap`] : []),
  ]),
  ...[...vectorFunctions.values()].flatMap(({ name, grouping }) => [
    name,
    ...(grouping ? groupings.map((form) => `${name} ${form}`) : []),
  ]),
  ...'or and unless == != < <= > >= + - * / % ^'.split(' ').flatMap((op) => [`binary ${op}`, `binary ${op} bool`]),
  ...['on', 'ignoring'].flatMap((kind) => [
    `matching ${kind}`,
    ...['left', 'right'].flatMap((side) => [`matching ${kind} group_${side}`, `matching ${kind} group_${side} list`]),
  ]),
  'number',
  'number negative',
  'vector',
  'label_replace',
]

export function productionsOf(expr: Expr): ReadonlySet<string> {
  const found = new Set<string>()
  const walker = new Walker(found)
  if (expr.kind === 'log') walker.log(expr)
  else walker.metric(expr)
  return found
}

class Walker {
  readonly #found: Set<string>

  constructor(found: Set<string>) {
    this.#found = found
  }

  metric(expr: MetricExpr): void {
    const found = this.#found
    switch (expr.kind) {
      case 'range_aggregation':
        found.add(expr.op).add(`${expr.op} ${expr.range.unwrap ? 'with' : 'without'} unwrap`)
        this.#grouping(expr.op, expr.grouping)
        return this.#range(expr.range)
      case 'vector_aggregation':
        found.add(expr.op)
        this.#grouping(expr.op, expr.grouping)
        return this.metric(expr.expr)
      case 'binary':
        found.add(`binary ${expr.op}${expr.returnBool ? ' bool' : ''}`)
        this.#matching(expr.matching)
        this.metric(expr.left)
        return this.metric(expr.right)
      case 'label_replace':
        found.add('label_replace')
        return this.metric(expr.expr)
      case 'number':
        return void found.add(expr.value < 0 ? 'number negative' : 'number')
      case 'vector':
        return void found.add('vector')
    }
  }

  #grouping(op: string, grouping: Grouping | undefined): void {
    if (grouping) this.#found.add(`${op} ${grouping.kind}${grouping.labels.length === 0 ? ' ()' : ''}`)
  }

  #matching(matching: VectorMatching | undefined): void {
    if (!matching) return
    const { kind, group } = matching
    const list = group && group.include.length > 0 ? ' list' : ''
    this.#found.add(`matching ${kind}${group ? ` group_${group.side}${list}` : ''}`)
  }

  #range({ log, unwrap, offsetNs }: LogRange): void {
    this.log(log)
    if (offsetNs !== 0) this.#found.add(offsetNs < 0 ? 'offset negative' : 'offset')
    if (!unwrap) return
    this.#found.add(unwrap.conversion === undefined ? 'unwrap' : `unwrap ${unwrap.conversion}`)
    if (unwrap.filters.length > 0) this.#found.add('unwrap filters')
    for (const filter of unwrap.filters) this.#stage(filter)
  }

  log(log: LogExpr): void {
    this.#found.add('selector')
    for (const { op } of log.matchers) this.#found.add(`matcher ${op}`)
    for (const stage of log.stages) this.#stage(stage)
  }

  #stage(node: StageNode): void {
    const found = this.#found
    found.add(`stage ${node.kind}`)
    switch (node.kind) {
      case 'line_filter': {
        const name = `line filter ${node.op}${node.ignoreCase ? 'i' : ''}`
        found.add(name)
        if (node.operands.length > 1) found.add(`${name} or`)
        for (const { kind, raw } of node.operands) found.add(`${name}${kind === 'ip' ? ' ip' : raw ? ' raw' : ''}`)
        return
      }
      case 'json':
      case 'logfmt': {
        const { length } = node.extractions
        found.add(`${node.kind} ${length === 0 ? 'all' : length === 1 ? 'one' : 'list'}`)
        if (node.kind === 'logfmt' && node.strict) found.add('logfmt strict')
        if (node.kind === 'logfmt' && node.keepEmpty) found.add('logfmt keep-empty')
        return
      }
      case 'label_filter':
        return this.#predicate(node.filter)
      case 'line_format':
        return void (node.raw && found.add('line_format raw'))
      case 'label_format':
        return node.formats.forEach((format) => this.#format(format))
      case 'drop':
      case 'keep':
        return node.choices.forEach((choice) => void found.add(`${node.kind} ${choiceForm(choice)}`))
      case 'distinct':
        return void (node.labels.length > 1 && found.add('distinct list'))
      case 'sort':
        return void found.add(`sort ${node.descending ? 'desc' : 'asc'}`)
      case 'limit':
      case 'regexp':
      case 'pattern':
      case 'unpack':
      case 'decolorize':
        return
    }
  }

  #format(format: LabelFormat): void {
    this.#found.add(`label_format ${format.kind}`)
    if (format.kind === 'template' && format.raw) this.#found.add('label_format raw')
  }

  #predicate(filter: LabelPredicate): void {
    const found = this.#found
    switch (filter.kind) {
      case 'and':
      case 'or':
        found.add(`filter ${filter.kind}`)
        for (const term of filter.terms) {
          if (term.kind === 'and' || term.kind === 'or') found.add(`filter ${term.kind} in ${filter.kind}`)
          this.#predicate(term)
        }
        return
      case 'in': {
        const inner = new Set<string>()
        new Walker(inner).log(filter.query)
        found.add('filter in')
        if (inner.has('filter in')) found.add('filter in in')
        return
      }
      case 'text':
        if (filter.raw) found.add('filter text raw')
        return void found.add(`filter text ${filter.op}`)
      case 'ip':
        return void found.add(`filter ip ${filter.op}`)
      case 'number':
      case 'duration':
      case 'bytes':
        if (filter.value < 0) found.add(`filter ${filter.kind} negative`)
        return void found.add(`filter ${filter.kind} ${filter.op}`)
    }
  }
}

function choiceForm(choice: LabelChoice): string {
  return choice.kind === 'name' ? 'name' : choice.op
}
