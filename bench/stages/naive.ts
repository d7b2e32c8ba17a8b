/**
 * The stages as one would write them first: a string for each line, `JSON.parse`, `split`, a regular expression. Each returns
 * how many lines pass, which must be what the pipeline says.
 */
import type { LogPage } from '#/logs/store/log-page.ts'

type LineTest = (line: string) => boolean

/** Counts the lines that pass. */
export function countLines({ lines, lineStart, rowCount }: LogPage, test: LineTest): number {
  let count = 0
  for (let i = 0; i < rowCount; i++) if (test(lines.toString('utf8', lineStart[i]!, lineStart[i + 1]!))) count++
  return count
}

type Scalar = string | number | boolean
type Members = { readonly [name: string]: Scalar | null | readonly unknown[] | Members }

function parseJson(line: string): Members | undefined {
  try {
    return JSON.parse(line) as Members
  } catch {
    return undefined
  }
}

export function jsonLabels(line: string): Map<string, string> {
  const labels = new Map<string, string>()
  const add = (members: Members, prefix: string): void => {
    for (const [key, value] of Object.entries(members)) {
      const name = prefix + key.replaceAll(/[^a-zA-Z0-9_]/g, '_')
      if (value === null || Array.isArray(value)) continue
      if (typeof value === 'object') add(value as Members, `${name}_`)
      else labels.set(name, `${value}`)
    }
  }
  add(parseJson(line) ?? {}, '')
  return labels
}

export function jsonMember(line: string, name: string): string | undefined {
  const value = parseJson(line)?.[name]
  return value === undefined || typeof value === 'object' ? undefined : `${value}`
}

const pair = /([^\s=]+)=("(?:[^"\\]|\\.)*"|\S*)/g

export function logfmtLabels(line: string): Map<string, string> {
  const labels = new Map<string, string>()
  for (const [, key, value] of line.matchAll(pair)) {
    const name = key!.replaceAll(/[^a-zA-Z0-9_]/g, '_')
    labels.set(name, value!.startsWith('"') ? (JSON.parse(value!) as string) : value!)
  }
  return labels
}

export function groupsOf(line: string, regex: RegExp): { readonly [name: string]: string } | undefined {
  return regex.exec(line)?.groups as { readonly [name: string]: string } | undefined
}
