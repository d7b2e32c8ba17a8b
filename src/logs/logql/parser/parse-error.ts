/** The errors of the parser, in the words and with the places that Loki gives. */
import { BadRequest } from '#/kernel/errors.ts'
import type { SourceRange } from '#/logs/logql/ast/nodes.ts'

/** Line and column as the message names them: from 1, in characters; both 0 when the message names no place. */
export type MessagePlace = { readonly line: number; readonly column: number }

const noPlace: MessagePlace = { line: 0, column: 0 }

/** `parse error at line 1, col 5: syntax error: unexpected …`, or `parse error : …` for what has no single place. */
export class ParseError extends BadRequest {
  readonly line: number
  readonly column: number
  /** The part of the query that the error is about, for editors; the message may name less. */
  readonly at: SourceRange

  constructor(what: string, at: SourceRange, place: MessagePlace = noPlace) {
    const { line, column } = place
    super(line === 0 && column === 0 ? `parse error : ${what}` : `parse error at line ${line}, col ${column}: ${what}`)
    this.line = line
    this.column = column
    this.at = at
  }
}

/** The place of a character of the query, counted in code points. */
export function placeOf(text: string, offset: number): MessagePlace {
  const lines = text.slice(0, offset).split('\n')
  const { length } = Array.from(lines.at(-1) ?? '')
  return { line: lines.length, column: length + 1 }
}

/** The place of a range selector: its line is lost on the way, only the column is told. */
export function rangePlaceOf(text: string, offset: number): MessagePlace {
  return { line: 0, column: placeOf(text, offset).column }
}
