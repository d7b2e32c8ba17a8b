/** `| line_format "…"` and `| label_format a=b, c="…"`: lines and labels from templates. */
import { absoluteNs } from '#/logs/model/day.ts'
import type { LabelFormat } from '#/logs/logql/ast/stage-nodes.ts'
import { checkEvaluated, executeTemplate, type TemplateData } from '#/logs/logql/template/execute-template.ts'
import type { Template } from '#/logs/logql/template/nodes.ts'
import { parseTemplate } from '#/logs/logql/template/parse-template.ts'
import { TemplateFailure, type ValueMap } from '#/logs/logql/template/values.ts'
import type { Row, RowStage } from './row.ts'

const FORMAT_ERROR = 'TemplateFormatErr'

/** @throws BadRequest naming a function that is not evaluated yet. */
export function compileLineFormat(text: string): RowStage {
  const template = compileTemplate(text, 'line')
  const data = new RowData()
  return (row) => {
    const output = run(template, data, row)
    if (output !== undefined) row.setLine(output)
    return true
  }
}

type CompiledFormat =
  | { readonly kind: 'rename'; readonly target: string; readonly source: string }
  | { readonly kind: 'template'; readonly target: string; readonly template: Template }

/** All templates of a stage see the labels as they were before the first of them; renames before it are seen. */
export function compileLabelFormat(formats: readonly LabelFormat[]): RowStage {
  const compiled = formats.map((format): CompiledFormat => {
    if (format.kind === 'rename') return format
    return { kind: 'template', target: format.target, template: compileTemplate(format.template, format.target) }
  })
  const needsSnapshot = compiled.filter(({ kind }) => kind === 'template').length > 1 || compiled.length > 1
  const data = new RowData()
  return (row) => {
    let snapshot: ValueMap | undefined
    for (const format of compiled) {
      if (format.kind === 'rename') {
        rename(row, format.source, format.target)
        continue
      }
      if (needsSnapshot) snapshot ??= labelMap(row)
      const output = run(format.template, data, row, snapshot)
      if (output !== undefined) row.setParsed(format.target, output)
    }
    return true
  }
}

function rename(row: Row, source: string, target: string): void {
  const value = row.get(source)
  if (value === undefined) return
  row.setParsed(target, value)
  if (source !== target) row.remove(source)
}

function compileTemplate(text: string, name: string): Template {
  const template = parseTemplate(text, name)
  checkEvaluated(template)
  return template
}

function run(template: Template, data: RowData, row: Row, snapshot?: ValueMap): string | undefined {
  try {
    data.enter(row, snapshot)
    return executeTemplate(template, data)
  } catch (error) {
    if (!(error instanceof TemplateFailure)) throw error
    row.setError(FORMAT_ERROR, error.message)
    return undefined
  }
}

/** A row as a template sees it. */
class RowData implements TemplateData {
  #row: Row | undefined
  #snapshot: ValueMap | undefined

  enter(row: Row, snapshot: ValueMap | undefined): void {
    this.#row = row
    this.#snapshot = snapshot
  }

  label(name: string): string | undefined {
    return this.#snapshot ? (this.#snapshot.get(name) as string | undefined) : this.#row!.get(name)
  }

  labels(): ValueMap {
    return this.#snapshot ?? labelMap(this.#row!)
  }

  line(): string {
    return this.#row!.lineText()
  }

  timestampNs(): bigint {
    return absoluteNs(this.#row!.day, this.#row!.time)
  }
}

function labelMap(row: Row): ValueMap {
  const labels = new Map<string, string>()
  row.forEachLabel((name, value) => labels.set(name, value))
  return labels
}
