/** Every per-tenant limit of the logs engine: one line each. Keys, defaults and meanings are Loki's `limits_config`. */
import { bytes, int, type ValuesOf } from '#/platform/config/option.ts'

export const limits = {
  max_line_size: bytes('256KB', 'Longest log line that is accepted.'),
  max_entries_limit_per_query: int(5000, 'Most entries that a log query may return.'),
}

/** The limits of one tenant. */
export type Limits = ValuesOf<typeof limits>
/** Limits by tenant, as they are now; the runtime file may change them at any time. */
export type LimitsOf = (tenant: string) => Limits
