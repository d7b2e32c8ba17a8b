/**
 * Who asks: the tenant id in the header `X-Scope-OrgID`. Several ids, separated by `|`, may read together where that is allowed;
 * inside the program they stay one text, sorted and without repeats, which {@link tenantsOf} splits.
 */
import type { IncomingHttpHeaders } from 'node:http'

import { BadRequest, EddaError, Forbidden } from '#/kernel/errors.ts'

export type TenantRules = {
  /** When off, every request is `noAuthTenant`'s and the header is ignored. */
  readonly isAuthEnabled: boolean
  readonly noAuthTenant: string
  /** Whether reads may name several tenants. */
  readonly isMultiTenantAllowed: boolean
}

export const tenantIdMaxBytes = 150
/** Most tenants in one request. */
export const maxTenantsPerRequest = 1000
const separator = '|'

/** Tenants that a caller may act for; a list is sorted and without repeats. */
export type AllowedTenants = readonly string[] | 'any'

/**
 * For whom the request is. Who may act for a few tenants only need not name them: one is meant, or all where several may be read.
 * @throws EddaError 401 `no org id`; Forbidden for a tenant that is not allowed; BadRequest for an id that cannot be one.
 */
export function tenantFrom(headers: IncomingHttpHeaders, rules: TenantRules, allowed: AllowedTenants = 'any'): string {
  const tenants = rules.isAuthEnabled ? namedTenants(headers, rules, allowed) : [rules.noAuthTenant]
  const forbidden = allowed === 'any' ? undefined : tenants.find((tenant) => !allowed.includes(tenant))
  if (forbidden !== undefined) throw new Forbidden(`no access to tenant ${forbidden}`)
  return tenants.join(separator)
}

function namedTenants(headers: IncomingHttpHeaders, rules: TenantRules, allowed: AllowedTenants): readonly string[] {
  const header = headers['x-scope-orgid']
  if (typeof header !== 'string' || header === '') {
    if (allowed === 'any') throw new EddaError('unauthorized', 'no org id')
    if (allowed.length === 0) throw new Forbidden('no access to any tenant')
    if (allowed.length === 1 || rules.isMultiTenantAllowed) return allowed
    throw new BadRequest('several tenants are allowed, X-Scope-OrgID must name one')
  }
  const tenants = [...new Set(header.split(separator).map(parseTenantId))].toSorted()
  if (tenants.length > 1 && !rules.isMultiTenantAllowed) throw new BadRequest('multiple org IDs present')
  if (tenants.length > maxTenantsPerRequest) {
    throw new BadRequest(`${tenants.length} org IDs exceed the limit of ${maxTenantsPerRequest}`)
  }
  return tenants
}

/** The tenants of a request, one or more. */
export function tenantsOf(tenant: string): readonly string[] {
  return tenant.split(separator)
}

/** The id without its metadata (`tenant:key=value`). @throws BadRequest when it cannot be a tenant's id. */
export function parseTenantId(text: string): string {
  const end = text.indexOf(':')
  const id = end < 0 ? text : text.slice(0, end)
  if (id === '') throw new BadRequest('tenant ID is empty')
  const unsupported = /[^a-zA-Z0-9!\-_.*'()]/u.exec(id)?.[0]
  if (unsupported !== undefined) {
    throw new BadRequest(`tenant ID '${id.slice(0, tenantIdMaxBytes)}' contains unsupported character '${unsupported}'`)
  }
  if (id.length > tenantIdMaxBytes) throw new BadRequest(`tenant ID is too long: max ${tenantIdMaxBytes} characters`)
  if (id === '.' || id === '..') throw new BadRequest("tenant ID is '.' or '..'")
  return id
}
