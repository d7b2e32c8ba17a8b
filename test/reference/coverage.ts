/** What of the language a set of queries has in it, by counting its syntax trees. */
import type { Expr, Grouping, LogExpr, LogRange, MetricExpr, VectorMatching } from '#/logs/logql/ast/nodes.ts'
import type { LabelPredicate, StageNode } from '#/logs/logql/ast/stage-nodes.ts'
import { rangeFunctions, vectorFunctions } from '#/logs/logql/functions/index.ts'
import { stages } from '#/logs/logql/stages/index.ts'

export class Coverage {
  readonly counts = new Map<string, number>()

  count(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1)
  }

  countQuery(expr: Expr): void {
    if (expr.kind === 'log') this.#log(expr)
    else this.#metric(expr)
  }

  /** Of `wanted`, what never occurred. */
  missing(wanted: readonly string[]): string[] {
    return wanted.filter((what) => !this.counts.has(what))
  }

  #log({ matchers, stages: nodes }: LogExpr): void {
    for (const { op } of matchers) this.count(`matcher ${op}`)
    for (const node of nodes) this.#stage(node)
  }

  #stage(node: StageNode): void {
    this.count(`stage ${node.kind}`)
    if (node.kind === 'line_filter') {
      for (const { kind } of node.operands) this.count(`line filter ${node.op}${node.ignoreCase ? 'i' : ''} ${kind}`)
      if (node.operands.length > 1) this.count(`line filter ${node.op} chain`)
    } else if (node.kind === 'label_filter') this.#predicate(node.filter)
    else if (node.kind === 'json') this.count(node.extractions.length > 0 ? 'json with expressions' : 'json without')
    else if (node.kind === 'logfmt') {
      this.count(node.extractions.length > 0 ? 'logfmt with expressions' : 'logfmt without')
      if (node.strict) this.count('logfmt --strict')
      if (node.keepEmpty) this.count('logfmt --keep-empty')
    } else if (node.kind === 'label_format') for (const { kind } of node.formats) this.count(`label_format ${kind}`)
    else if (node.kind === 'drop' || node.kind === 'keep') {
      for (const choice of node.choices) this.count(`${node.kind} ${choice.kind}`)
    }
  }

  #predicate(predicate: LabelPredicate): void {
    this.count(`label filter ${predicate.kind}`)
    if (predicate.kind === 'and' || predicate.kind === 'or') predicate.terms.forEach((term) => this.#predicate(term))
    else if (predicate.kind !== 'in') this.count(`label filter ${predicate.kind} ${predicate.op}`)
  }

  #metric(expr: MetricExpr): void {
    this.count(expr.kind)
    switch (expr.kind) {
      case 'range_aggregation':
        this.count(
          `range ${expr.op}${expr.range.unwrap && rangeFunctions.get(expr.op)?.unwrap === 'optional' ? ' unwrap' : ''}`,
        )
        this.#grouping('range', expr.grouping)
        return this.#range(expr.range)
      case 'vector_aggregation':
        this.count(`vector ${expr.op}`)
        this.#grouping('vector', expr.grouping)
        return this.#metric(expr.expr)
      case 'binary':
        this.count(`operator ${expr.op}${expr.returnBool ? ' bool' : ''}`)
        this.#matching(expr.matching)
        this.#metric(expr.left)
        return this.#metric(expr.right)
      case 'label_replace':
        return this.#metric(expr.expr)
      case 'number':
      case 'vector':
    }
  }

  #range({ log, unwrap, offsetNs }: LogRange): void {
    this.#log(log)
    if (offsetNs !== 0) this.count(offsetNs > 0 ? 'offset' : 'negative offset')
    if (unwrap === undefined) return
    this.count(`unwrap ${unwrap.conversion ?? 'number'}`)
    for (const filter of unwrap.filters) this.count(`${filter.kind} behind unwrap`)
  }

  #grouping(where: string, grouping: Grouping | undefined): void {
    if (grouping) this.count(`${where} ${grouping.kind}${grouping.labels.length === 0 ? ' ()' : ''}`)
  }

  #matching(matching: VectorMatching | undefined): void {
    if (!matching) return
    this.count(matching.kind)
    if (matching.group)
      this.count(`group_${matching.group.side}${matching.group.include.length > 0 ? ' with labels' : ''}`)
  }
}

const textOps = ['=', '!=', '=~', '!~']
const compareOps = ['==', '!=', '>', '>=', '<', '<=']
const wordOps = ['and', 'or', 'unless']

/** Everything that enough random queries must have in them. */
export function everything(): string[] {
  const optional = [...rangeFunctions.values()].filter(({ unwrap }) => unwrap === 'optional')
  const each = (before: string, names: Iterable<string>, after = ''): string[] =>
    Array.from(names, (name) => `${before}${name}${after}`)
  return [
    each('matcher ', textOps),
    each('stage ', Object.keys(stages)),
    each('line filter ', ['|=', '!=', '|~', '!~', '|>', '!>', '|=i', '!=i'], ' text'),
    each('line filter ', ['|=', '!=', '|~', '!~', '|>', '!>'], ' chain'),
    each('line filter ', ['|=', '!='], ' ip'),
    each('json ', ['with expressions', 'without']),
    each('logfmt ', ['with expressions', 'without', '--strict', '--keep-empty']),
    ['label_format rename', 'label_format template', 'drop name', 'drop matcher', 'keep name', 'keep matcher'],
    each('label filter ', ['and', 'or', 'in', 'ip =', 'ip !=']),
    each('label filter text ', textOps),
    ...['number', 'duration', 'bytes'].map((kind) => each(`label filter ${kind} `, compareOps)),
    each('range ', rangeFunctions.keys()),
    each(
      'range ',
      optional.map(({ name }) => name),
      ' unwrap',
    ),
    each('range ', ['by', 'without', 'by ()', 'without ()']),
    each('vector ', ['by', 'without', 'by ()', 'without ()']),
    each('unwrap ', ['number', 'duration', 'duration_seconds', 'bytes']),
    ['label_filter behind unwrap', 'offset', 'negative offset', 'vector', 'number', 'label_replace'],
    each('vector ', vectorFunctions.keys()),
    each('operator ', [...compareOps, ...wordOps, '+', '-', '*', '/', '%', '^']),
    each('operator ', compareOps, ' bool'),
    ['on', 'ignoring', 'group_left', 'group_right', 'group_left with labels', 'group_right with labels'],
  ].flat()
}
