/** What an examination of a data directory finds. */

/**
 * `error`: entries are lost, or a server would not answer as it should. `warning`: nothing is lost, and something is not as it was
 * written. `notice`: takes space or attention only.
 */
export type Severity = 'error' | 'warning' | 'notice'

export type Finding = {
  /** One of the kinds of docs/operate/doctor.md. */
  readonly kind: string
  readonly severity: Severity
  readonly file: string
  /** Of the first wrong byte, where it is known. */
  readonly offset?: number
  readonly problem: string
  /** What follows from it, and what to do. */
  readonly meaning: string
  readonly advice: string
  /** Entries that are concerned, where it is known. */
  readonly rows?: number
  /** What was done about it; undefined when nothing was. */
  readonly repair?: string
}

export type DoctorProgress = {
  readonly what: string
  readonly files: number
  readonly bytes: number
  readonly totalBytes: number
  readonly findings: number
}

export type DoctorReport = {
  readonly directory: string
  /** Whether a server had it open: then it was only read, and what was being written is left out. */
  readonly isLive: boolean
  readonly checked: {
    readonly tenants: number
    readonly days: number
    readonly blocks: number
    readonly blockBytes: number
    readonly rows: number
    readonly walSegments: number
    readonly walBytes: number
  }
  readonly counts: Readonly<Record<Severity, number>>
  /** At most {@link maxFindings}; `counts` has all. */
  readonly findings: readonly Finding[]
  /** Errors and warnings for which nothing was done. */
  readonly left: number
  /** Where a repair put what it took away. */
  readonly quarantine?: string
}

export const maxFindings = 10_000
