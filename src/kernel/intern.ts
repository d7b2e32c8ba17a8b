/**
 * The one copy of a text that the runtime keeps for property names. Two such copies are compared by their address, others letter
 * by letter, which shows where names are compared for every line. Never collected while in use as a name, so only for names
 * that are learned once.
 */
export function internText(text: string): string {
  return Object.keys({ [text]: 0 })[0]!
}
