/** Runs templates in tests of this folder. */
import assert from 'node:assert/strict'
import { TemplateEngine } from './execute-template.ts'
import { parseTemplate } from './parse-template.ts'
import { LabelMap, TemplateFailure } from './values.ts'
import type { Zone } from './zones.ts'

type Labels = Readonly<Record<string, string>>
const labels: Labels = { app: 'web', status: '200', empty: '', path: '/a b', json: '{"a":[1,"x"],"b":null,"c":1.5}' }

/** 2024-01-02T15:04:05.123Z */
export const timestampNs = 1_704_207_845_123_000_000n
/** 2024-07-01T00:00:00.5Z */
export const nowNs = 1_719_792_000_500_000_000n

export function run(text: string, data: Labels = labels, zone: Zone = 'UTC'): string {
  return new TemplateEngine(parseTemplate(text), {
    label: (name) => data[name],
    labels: () => new LabelMap(Object.entries(data)),
    line: () => 'the line',
    timestampNs: () => timestampNs,
    nowNs: () => nowNs,
    zone: () => zone,
  }).run()
}

export function expectAll(cases: Readonly<Record<string, string>>, zone: Zone = 'UTC'): void {
  for (const [template, output] of Object.entries(cases)) assert.equal(run(template, labels, zone), output, template)
}

/** Templates with the whole messages of their failures. */
export function expectFailures(cases: Readonly<Record<string, string>>): void {
  for (const [template, message] of Object.entries(cases)) assert.equal(failureOf(template), message, template)
}

export function failureOf(template: string): string {
  try {
    return `no failure, but ${run(template)}`
  } catch (error) {
    if (error instanceof TemplateFailure) return error.message
    throw error
  }
}
