/** `| decolorize`: takes the colour sequences of terminals out of the line. */
import type { RowStage } from './row.ts'

const ESCAPE = 0x1b
const TWO_BYTE_LEAD = 0xc2
const BEL = '\u0007'
/** Opening, then text up to a BEL, or up to four-digit parameters and a final character. */
const sequence = new RegExp(
  String.raw`[\u001b\u009b][[\]()#;?]*(?:(?:[a-zA-Z\d]*(?:;[-a-zA-Z\d/#&.:=?%@~_]*)*)?${BEL}|(?:\d{1,4}(?:;\d{0,4})*)?[\dA-PRZcf-ntqry=><~])`,
  'g',
)

export const decolorizeRow: RowStage = (row) => {
  if (!mayHaveColor(row.bytes, row.start, row.end)) return true
  const text = row.lineText()
  const plain = text.replaceAll(sequence, '')
  if (plain !== text) row.setLine(plain)
  return true
}

function mayHaveColor(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (bytes[i] === ESCAPE || bytes[i] === TWO_BYTE_LEAD) return true
  return false
}
