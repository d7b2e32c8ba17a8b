/** Names of structured metadata, and of labels made from OTLP attributes. */
import { BadRequest } from '#/kernel/errors.ts'

const normal = /^(?:__[a-zA-Z0-9]+(?:_[a-zA-Z0-9]+)*__|_?[a-zA-Z](?:_?[a-zA-Z0-9])*_?|_[0-9](?:_?[a-zA-Z0-9])*_?)$/

/**
 * The name under which an attribute can be queried: runs of characters outside [A-Za-z0-9] become one `_`, a leading digit gets
 * the prefix `key_`, and a name in double underscores keeps them. @throws BadRequest when nothing is left.
 */
export function normalizeMetadataName(name: string): string {
  if (normal.test(name)) return name
  const isReserved = name.length > 4 && name.startsWith('__') && name.endsWith('__')
  const inner = isReserved ? name.slice(2, -2) : name
  const collapsed = inner.replaceAll(/[^a-zA-Z0-9]+/g, '_')
  const prefixed = !isReserved && /^[0-9]/.test(collapsed) ? `key_${collapsed}` : collapsed
  if (prefixed === '' || prefixed === '_') {
    throw new BadRequest(`normalization for label name ${JSON.stringify(name)} resulted in invalid name "${prefixed}"`)
  }
  return isReserved ? `__${prefixed}__` : prefixed
}
