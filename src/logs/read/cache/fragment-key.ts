/**
 * Names a fragment of a query by what decides about its result on a block: the same for queries that are written differently but
 * ask a block the same. A name is a hash, as values of subqueries can make the whole text very long.
 */
import { createHash } from 'node:crypto'
import type { MetricLeaf, Selection } from '#/logs/logql/planner/plan.ts'
import type { RowStageNode } from '#/logs/logql/ast/stage-nodes.ts'

/** Changes when results are kept in another form, or mean something else: nothing that was kept is found then. */
const VERSION = 1
/** Members of nodes that say how the query was written. */
const WRITING = new Set(['at', 'raw'])

/** Undefined when a stage does not give the same every time. */
export function leafKey(leaf: MetricLeaf): string | undefined {
  const { matchers, streamFilters, stages, needed, op, measure, unwrap, countedLabel, grouping, preserveErrors } = leaf
  if (readsClock(stages)) return undefined
  // counts and sums of bytes are collected alike by all functions that have them; the parameter is for those who merge
  const fold = measure === 'rows' || measure === 'bytes' ? '' : op
  const asked = { fold, measure, unwrap, countedLabel, grouping, preserveErrors, needed }
  return hash(['leaf', { matchers, streamFilters, stages }, asked])
}

/** Of the question which rows pass. Undefined as for {@link leafKey}. */
export function selectionKey({ matchers, streamFilters, stages }: Selection): string | undefined {
  return readsClock(stages) ? undefined : hash(['rows', { matchers, streamFilters, stages }])
}

/** Whether a template may ask for the current time. A text with that word in it is enough to say so. */
function readsClock(stages: readonly RowStageNode[]): boolean {
  const reads = (template: string): boolean => /\bnow\b/.test(template)
  return stages.some((stage) => {
    if (stage.kind === 'line_format') return reads(stage.template)
    return stage.kind === 'label_format' && stage.formats.some((one) => one.kind === 'template' && reads(one.template))
  })
}

function hash(value: unknown): string {
  return createHash('sha256')
    .update(canonicalText([VERSION, value]))
    .digest('base64url')
}

/** A text that differs when anything in a tree of plain data differs, but for the order of members and of sets. */
export function canonicalText(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value)
    case 'number':
      return Object.is(value, -0) ? '-0' : String(value)
    case 'boolean':
    case 'undefined':
      return String(value)
    case 'bigint':
      return `${value}n`
    case 'object':
      return value === null ? 'null' : textOfObject(value)
    case 'function':
    case 'symbol':
      throw new TypeError(`a ${typeof value} is not data`)
  }
}

function textOfObject(value: object): string {
  if (Array.isArray(value)) return `[${value.map(canonicalText).join()}]`
  if (value instanceof Set) return `{${[...value].map(canonicalText).sort().join()}}`
  if (Object.getPrototypeOf(value) !== Object.prototype) throw new TypeError(`${value.constructor.name} is not data`)
  const members = Object.entries(value).filter(([name, member]) => member !== undefined && !WRITING.has(name))
  return `(${members
    .map(([name, member]) => `${JSON.stringify(name)}:${canonicalText(member)}`)
    .sort()
    .join()})`
}
