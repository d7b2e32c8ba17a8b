/** What retention does, as it tells of itself. Times are milliseconds since the epoch. */

export type RetentionRuleStatus = {
  /** `retention_period`, `retention_stream`, `retention_bytes` or `retention_min_free`. */
  readonly rule: string
  readonly selector?: string
  readonly priority?: number
  /** 0: for ever. */
  readonly periodMs?: number
  readonly limitBytes?: number
  /** Blocks that go whole at the next look, and their stored bytes. */
  readonly blocks: number
  readonly bytes: number
  /** Of other blocks, those that are written anew without the rows of this rule. */
  readonly blocksInPart: number
  /** When the next rows of this rule become too old, as far as is known: a block goes once all its rows of the rule are. */
  readonly nextMs?: number
}

export type RemovedByRetention = {
  readonly atMs: number
  readonly rule: string
  readonly day: number
  /** Removed whole; 0 for rows that went when a block was written anew. */
  readonly blocks: number
  readonly rows: number
  /** Of lines and metadata. */
  readonly bytes: number
}

export type TenantRetention = {
  readonly tenant: string
  readonly blocks: number
  readonly storedBytes: number
  readonly oldestMs?: number
  readonly rules: readonly RetentionRuleStatus[]
  /** Why nothing is removed although there are rules. */
  readonly problem?: string
  /** Since the start, the newest last, a bounded number. */
  readonly removed: readonly RemovedByRetention[]
}

export type RetentionStatus = {
  readonly isEnabled: boolean
  readonly lookedMs?: number
  readonly tenants: readonly TenantRetention[]
}

export interface Retention {
  /** Of one tenant, or of all. Looks at blocks as they are now, and removes nothing. */
  status(tenant: string | undefined): Promise<RetentionStatus>
}
