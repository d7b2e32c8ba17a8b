/** `| line_format "…"` and `| label_format a=b, c="…"`: lines and labels from templates. */
import { absoluteNs } from '#/logs/model/day.ts'
import { internText } from '#/kernel/intern.ts'
import type { LabelFormat } from '#/logs/logql/ast/stage-nodes.ts'
import { TemplateEngine } from '#/logs/logql/template/execute-template.ts'
import type { TemplateData } from '#/logs/logql/template/functions.ts'
import { labelTemplate, type LabelTemplate } from '#/logs/logql/template/label-template.ts'
import { LIMITS } from '#/logs/logql/template/limits.ts'
import { parseTemplate } from '#/logs/logql/template/parse-template.ts'
import { LabelMap, TemplateFailure } from '#/logs/logql/template/values.ts'
import { localZone, type Zone } from '#/logs/logql/template/zones.ts'
import type { PipelineContext } from './compiler.ts'
import type { Row, RowStage } from './row.ts'

const FORMAT_ERROR = 'TemplateFormatErr'

/** Steps of templates between two looks at whether anybody still waits for the answer. */
const STEPS_BETWEEN_CHECKS = 50_000

export function compileLineFormat(text: string, context: PipelineContext): RowStage {
  const run = compileTemplate(text, 'line', context)
  return (row) => {
    const output = run(row, undefined)
    if (output !== undefined) row.setLine(output)
    return true
  }
}

type CompiledFormat =
  | { readonly kind: 'rename'; readonly target: string; readonly source: string }
  | { readonly kind: 'template'; readonly target: string; readonly run: TemplateRun }

/** All templates of a stage see the labels as they were before the first of them; renames before it are seen. */
export function compileLabelFormat(formats: readonly LabelFormat[], context: PipelineContext): RowStage {
  const compiled = formats.map((format): CompiledFormat => {
    if (format.kind === 'rename')
      return { kind: 'rename', target: internText(format.target), source: internText(format.source) }
    return {
      kind: 'template',
      target: internText(format.target),
      run: compileTemplate(format.template, format.target, context),
    }
  })
  const first = compiled.findIndex(({ kind }) => kind === 'template')
  const needsSnapshot = compiled.slice(first + 1).some(({ kind }) => kind === 'template')
  return (row) => {
    let snapshot: LabelMap | undefined
    for (const format of compiled) {
      if (format.kind === 'rename') {
        rename(row, format.source, format.target)
        continue
      }
      if (needsSnapshot) snapshot ??= labelMap(row)
      const output = format.run(row, snapshot)
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

/** The output for a row; undefined when the template failed, which is noted on the row. A snapshot replaces the row's labels. */
type TemplateRun = (row: Row, snapshot: LabelMap | undefined) => string | undefined

function compileTemplate(text: string, name: string, context: PipelineContext): TemplateRun {
  const template = parseTemplate(text, name)
  const simple = labelTemplate(template)
  if (simple) {
    const tooLong = `template: ${name}: output is longer than ${LIMITS.output} characters`
    return (row, snapshot) => {
      const output = joinLabels(simple, row, snapshot)
      if (output === undefined) row.setError(FORMAT_ERROR, tooLong)
      return output
    }
  }
  const data = new RowData(context)
  const engine = new TemplateEngine(template, data)
  let steps = 0
  return (row, snapshot) => {
    try {
      data.enter(row, snapshot)
      return engine.run()
    } catch (error) {
      if (!(error instanceof TemplateFailure)) throw error
      row.setError(FORMAT_ERROR, error.message)
      return undefined
    } finally {
      steps += engine.steps
      if (steps >= STEPS_BETWEEN_CHECKS) {
        steps = 0
        context.check()
      }
    }
  }
}

/** Undefined when it gets too long. */
function joinLabels({ texts, labels }: LabelTemplate, row: Row, snapshot: LabelMap | undefined): string | undefined {
  let output = texts[0]!
  for (let i = 0; i < labels.length; i++) {
    const name = labels[i]!
    output += (snapshot ? snapshot.get(name) : row.get(name)) ?? ''
    output += texts[i + 1]!
    if (output.length > LIMITS.output) return undefined
  }
  return output
}

/** A row as a template sees it. */
class RowData implements TemplateData {
  readonly #context: PipelineContext
  readonly #zone = localZone()
  #row: Row | undefined
  #snapshot: LabelMap | undefined

  constructor(context: PipelineContext) {
    this.#context = context
  }

  enter(row: Row, snapshot: LabelMap | undefined): void {
    this.#row = row
    this.#snapshot = snapshot
  }

  label(name: string): string | undefined {
    return this.#snapshot ? this.#snapshot.get(name) : this.#row!.get(name)
  }

  labels(): LabelMap {
    return this.#snapshot ?? labelMap(this.#row!)
  }

  line(): string {
    return this.#row!.lineText()
  }

  timestampNs(): bigint {
    return absoluteNs(this.#row!.day, this.#row!.time)
  }

  nowNs(): bigint {
    return this.#context.nowNs
  }

  zone(): Zone {
    return this.#zone
  }
}

function labelMap(row: Row): LabelMap {
  const labels = new LabelMap()
  row.forEachLabel((name, value) => labels.set(name, value))
  return labels
}
