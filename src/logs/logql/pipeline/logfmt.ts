/** `| logfmt [--strict] [--keep-empty] [a, b="key"]`: pairs of the line become labels. */
import { latin1Text, utf8Text } from '#/kernel/buffer-text.ts'
import { unescapeLogfmt } from '#/kernel/json-text.ts'
import { KeyTable, ROOT_KEY } from '#/kernel/key-table.ts'
import { fixLeadingDigit, sanitizeNamePart } from '#/kernel/label-name.ts'
import { LogfmtScanner } from '#/kernel/logfmt-scan.ts'
import type { LogfmtNode } from '#/logs/logql/ast/stage-nodes.ts'
import type { NeededLabels, Row, RowStage } from './row.ts'
import { hasGap } from './sample-line.ts'
import { EXTRACTED_SUFFIX } from './stream-view.ts'
import { TextFields } from './text-fields.ts'
import { textLayouts, type ReadSample, type SampleField } from './text-layouts.ts'
import { WantedLabels } from './wanted-labels.ts'

const LOGFMT_ERROR = 'LogfmtParserErr'

export function compileLogfmt(node: LogfmtNode, needed: NeededLabels): RowStage {
  if (node.extractions.length > 0) return compileExtractions(node, needed)
  const wanted = new WantedLabels(needed)
  if (wanted.isEmpty) return () => true
  const keys = new KeyTable(wanted, 'plain')
  const scanner = new LogfmtScanner()
  const key = layoutKey(wanted, node)
  const texts = needed === 'all' ? undefined : new TextFields(() => textLayouts(key, () => sampleReader(wanted, node)))
  const stage = (row: Row): boolean => {
    const known = texts?.layoutOf(row)
    if (known !== undefined) {
      wanted.setFields(row, known.fields)
      return true
    }
    keys.prepare()
    scanner.enter(row.bytes, row.start, row.end)
    let found = 0
    while (found < wanted.limit && nextPair(scanner, row, node.strict)) {
      const id = keys.find(row.bytes, scanner.keyStart, scanner.keyEnd, ROOT_KEY)
      if (!keys.wantsValue(id)) continue
      if (scanner.valueEnd === scanner.valueStart && !node.keepEmpty) continue
      const target = wanted.target(row, keys.names[id]!)
      if (target === undefined) continue
      row.addParsedRange(target, scanner.escaped ? 'logfmt' : 'plain', scanner.valueStart, scanner.valueEnd)
      found++
    }
    return true
  }
  return Object.assign(stage, { texts })
}

function layoutKey({ key }: WantedLabels, { keepEmpty, strict }: LogfmtNode): string {
  return `logfmt ${strict ? 'strict' : ''} ${keepEmpty ? 'keep' : ''} ${key}`
}

/** Knows nothing of lines with a fault that counts or escapes, or with keys that are not all the same and may be wanted. */
function sampleReader(wanted: WantedLabels, { keepEmpty, strict }: LogfmtNode): ReadSample {
  const keys = new KeyTable(wanted, 'plain')
  const scanner = new LogfmtScanner()
  const { haveDigits } = wanted
  return (sample) => {
    const { bytes, size } = sample
    const found: SampleField[] = []
    keys.prepare()
    scanner.enter(bytes, 0, size)
    for (;;) {
      const step = scanner.next()
      if (step === 'end') return { fields: found }
      const { keyStart, keyEnd, valueStart, valueEnd } = scanner
      if (scanner.escaped || (step === 'fault' && strict)) return undefined
      if (haveDigits && hasGap(sample, keyStart, keyEnd)) return undefined
      if (step === 'fault') {
        scanner.recover()
        continue
      }
      const id = keys.find(bytes, keyStart, keyEnd, ROOT_KEY)
      if (!keys.wantsValue(id) || (valueStart === valueEnd && !keepEmpty)) continue
      found.push({ name: keys.names[id]!, start: valueStart, end: valueEnd })
    }
  }
}

/** Goes to the next good pair; false at the end of the line, and when a fault ends it. */
function nextPair(scanner: LogfmtScanner, row: Row, strict: boolean): boolean {
  for (;;) {
    let step = scanner.next()
    if (step === 'end') return false
    if (step === 'pair' && scanner.escaped && !hasGoodEscapes(scanner, row)) {
      scanner.invalidQuoted()
      step = 'fault'
    }
    if (step === 'pair') return true
    if (strict) {
      row.setError(LOGFMT_ERROR, scanner.fault)
      return false
    }
    scanner.recover()
  }
}

function hasGoodEscapes(scanner: LogfmtScanner, row: Row): boolean {
  return unescapeLogfmt(latin1Text(row.bytes, scanner.valueStart, scanner.valueEnd)) !== undefined
}

function setValue(row: Row, name: string, scanner: LogfmtScanner): void {
  row.setParsedRange(name, scanner.escaped ? 'logfmt' : 'plain', scanner.valueStart, scanner.valueEnd)
}

/**
 * Only the named keys. Each label is set to nothing first, unless the stream or the metadata has it, then to what the line
 * says; a value that is not UTF-8 counts as nothing.
 */
function compileExtractions(node: LogfmtNode, needed: NeededLabels): RowStage {
  if (!node.extractions.some(({ label }) => isRead(label, needed)) && !isRead('__error__', needed)) return () => true
  const labelsOf = new Map<string, string[]>()
  for (const { label, key } of node.extractions) {
    const name = fixLeadingDigit(sanitizeNamePart(key.replace(/^"(.*)"$/, '$1')))
    labelsOf.set(name, [...(labelsOf.get(name) ?? []), label])
  }
  const keys = new KeyTable({ value: (name) => labelsOf.has(name), children: () => false }, 'plain')
  const scanner = new LogfmtScanner()
  return (row) => {
    for (const { label } of node.extractions) if (!row.hasBase(label)) row.setParsed(label, '')
    keys.prepare()
    scanner.enter(row.bytes, row.start, row.end)
    while (nextPair(scanner, row, node.strict)) {
      const id = keys.find(row.bytes, scanner.keyStart, scanner.keyEnd, ROOT_KEY)
      if (!keys.wantsValue(id)) continue
      if (scanner.valueEnd === scanner.valueStart && !node.keepEmpty) continue
      for (const label of labelsOf.get(keys.names[id]!)!) {
        const target = row.hasBase(label) ? label + EXTRACTED_SUFFIX : label
        if (isValidUtf8(row, scanner)) setValue(row, target, scanner)
        else row.setParsed(target, '')
      }
    }
    return true
  }
}

/** Whether anything behind reads the label, under the name that it has in a conflict too. */
function isRead(label: string, needed: NeededLabels): boolean {
  return needed === 'all' || needed.has(label) || needed.has(label + EXTRACTED_SUFFIX)
}

function isValidUtf8(row: Row, scanner: LogfmtScanner): boolean {
  return !utf8Text(row.bytes, scanner.valueStart, scanner.valueEnd).includes('\ufffd')
}
