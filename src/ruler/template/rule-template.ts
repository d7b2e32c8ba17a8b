/**
 * Templates in labels and annotations: Prometheus' language, in which `$labels`, `$value`, `$externalLabels` and `$externalURL` are
 * known, and `$lines` (or `.Lines`): the newest log lines behind the alert, newest first.
 */
import { BadRequest } from '#/kernel/errors.ts'
import { TemplateEngine } from '#/logs/logql/template/execute-template.ts'
import type { TemplateData } from '#/logs/logql/template/functions.ts'
import type { Template } from '#/logs/logql/template/nodes.ts'
import { parseTemplate } from '#/logs/logql/template/parse-template.ts'
import { LabelMap, TemplateFailure, type Value } from '#/logs/logql/template/values.ts'
import { ruleFunctions, ruleSignatures } from './rule-functions.ts'

export type TemplateInput = {
  /** Of the sample, before those of the rule. */
  readonly labels: Iterable<readonly [name: string, value: string]>
  readonly value: number
  readonly lines: readonly string[]
  readonly externalLabels: Readonly<Record<string, string>>
  readonly externalUrl: string
  readonly nowNs: bigint
}

const variables =
  '{{$labels := .Labels}}{{$externalLabels := .ExternalLabels}}{{$externalURL := .ExternalURL}}{{$value := .Value}}{{$lines := .Lines}}'
const linesPattern = /(?:\.Lines|\$lines)\b/

const parsed = new Map<string, Template>()
/** Parsed templates that are kept; beyond, all are parsed again. */
const maxParsed = 4096

/** What is wrong with a template before it is executed. */
export function templateProblem(text: string, name: string): string | undefined {
  try {
    if (text.includes('{{')) parseTemplate(variables + text, name, ruleSignatures)
    return undefined
  } catch (error) {
    if (error instanceof BadRequest) return `error parsing template: ${error.message}`
    throw error
  }
}

/** Whether a template may ask for log lines; they are only fetched then. */
export function usesLines(text: string): boolean {
  return text.includes('{{') && linesPattern.test(text)
}

/** @throws TemplateFailure, BadRequest */
export function expandTemplate(text: string, name: string, input: TemplateInput): string {
  if (!text.includes('{{')) return text
  const key = `${name}\0${text}`
  let template = parsed.get(key)
  if (template === undefined) {
    template = parseTemplate(variables + text, name, ruleSignatures)
    if (parsed.size >= maxParsed) parsed.clear()
    parsed.set(key, template)
  }
  return new TemplateEngine(template, dataOf(input), ruleFunctions).run()
}

/** What a reader of the alert sees in place of a text that could not be made. */
export function expandOrExplain(text: string, name: string, input: TemplateInput): { text: string; problem?: string } {
  try {
    return { text: expandTemplate(text, name, input) }
  } catch (error) {
    if (!(error instanceof TemplateFailure) && !(error instanceof BadRequest)) throw error
    const problem = `error executing template ${name}: ${error.message}`
    return { text: `<error expanding template: ${problem}>`, problem }
  }
}

function dataOf(input: TemplateInput): TemplateData {
  const fields: Readonly<Record<string, () => Value>> = {
    Labels: () => new LabelMap(input.labels),
    Value: () => input.value,
    Lines: () => input.lines,
    ExternalLabels: () => new LabelMap(Object.entries(input.externalLabels)),
    ExternalURL: () => input.externalUrl,
  }
  return {
    label(name) {
      const field = Object.hasOwn(fields, name) ? fields[name] : undefined
      if (field === undefined)
        throw new TemplateFailure(`can't evaluate field ${name}, only ${Object.keys(fields).join(', ')}`)
      return field()
    },
    labels: () => new Map(Object.entries(fields).map(([name, field]) => [name, field()])),
    line: () => input.lines[0] ?? '',
    timestampNs: () => input.nowNs,
    nowNs: () => input.nowNs,
    zone: () => 'UTC',
  }
}
