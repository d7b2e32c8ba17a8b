/** Who may call an endpoint. The server asks before it reads a body; how callers are known is not its business. */
import type { IncomingHttpHeaders } from 'node:http'

import { EddaError, Forbidden } from '#/kernel/errors.ts'
import type { AllowedTenants } from '#/platform/tenant/tenant-id.ts'

/** `read` and `write` are about the data of tenants, `admin` about the process. */
export const permissions = ['read', 'write', 'admin'] as const
export type Permission = (typeof permissions)[number]

/** What a caller needs; `any`: a name, and no permission. */
export type Access = Permission | 'any'

export type AccessRequest = {
  readonly headers: IncomingHttpHeaders
  readonly remoteAddress: string
  readonly path: string
  readonly access: Access
}

export type Grant = { readonly tenants: AllowedTenants }

export interface AccessControl {
  /**
   * What the caller may do here. @throws Unauthenticated without credentials that are right; Forbidden when they are not enough;
   * LimitExceeded after too many wrong ones; Unavailable when too many are being checked.
   */
  admit(request: AccessRequest, signal: AbortSignal): Promise<Grant>
}

/** The caller is not known: 401, with the ways to say who one is. */
export class Unauthenticated extends EddaError {
  readonly challenge = 'Basic realm="edda", charset="UTF-8", Bearer realm="edda"'

  constructor(message: string) {
    super('unauthorized', message)
  }
}

/**
 * A browser sends what it knows of a user, and whatever this machine may do, also for pages of other sites. These may not
 * steer the process, nor act with a password that the browser remembers; a link to a page that is only read works.
 * @throws Forbidden
 */
export function checkSite(headers: IncomingHttpHeaders, access: Access): void {
  if (headers['sec-fetch-site'] !== 'cross-site') return
  const isLink = headers['sec-fetch-mode'] === 'navigate' && (access === 'read' || access === 'any')
  const hasPassword = /^basic/i.test(headers.authorization ?? '')
  if (access === 'admin' || (hasPassword && !isLink)) throw new Forbidden('a page of another site may not do this')
}
