/** `| decolorize`: takes the colour sequences of terminals out of a line. */

export function decolorized(line: string): string {
  let plain = ''
  for (let at = 0; at < line.length;) {
    const length = sequenceLength(line.slice(at))
    if (length === 0) plain += line[at]
    at += Math.max(1, length)
  }
  return plain
}

const leads = ['\u001b', '\u009b']
const bell = '\u0007'

/** Length of the sequence that the text begins with, 0 when there is none. */
function sequenceLength(text: string): number {
  if (!leads.includes(text.charAt(0))) return 0
  const marks = /^[[\]()#;?]*/.exec(text.slice(1))![0].length
  // giving back characters of the opening, as what follows may need them
  for (let length = 1 + marks; length > 0; length--) {
    const rest = text.slice(length)
    const command = /^(?:[a-zA-Z\d]*(?:;[-a-zA-Z\d/#&.:=?%@~_]*)*)?/.exec(rest)![0]
    if (rest.startsWith(bell, command.length)) return length + command.length + 1
    const colour = /^(?:\d{1,4}(?:;\d{0,4})*)?[\dA-PRZcf-ntqry=><~]/.exec(rest)?.[0]
    if (colour !== undefined) return length + colour.length
  }
  return 0
}
