/** `a, b="expression"` behind `json` and `logfmt`; a bare name stands for itself. */
import type { StageCursor } from './stage.ts'

export type Extraction = { readonly label: string; readonly expression: string }

export function parseExtractions(cursor: StageCursor): Extraction[] {
  if (cursor.peek() !== 'IDENTIFIER') return []
  const extractions = [parseExtraction(cursor)]
  while (cursor.accept(',')) extractions.push(parseExtraction(cursor))
  return extractions
}

function parseExtraction(cursor: StageCursor): Extraction {
  const label = cursor.expect('IDENTIFIER').text
  return { label, expression: cursor.accept('=') ? cursor.expect('STRING').text : label }
}
