/** Gathers what is found, up to a limit, and what was done about it. */
import { kinds, type KindName } from './kinds.ts'
import { type Finding, maxFindings, type Severity } from '#/logs/wire/doctor.ts'

export type FoundAt = {
  readonly file: string
  readonly problem: string
  readonly offset?: number | undefined
  readonly rows?: number | undefined
}

/** `done` tells what a repair did. */
export type Found = { readonly kind: KindName; readonly file: string; done(what: string): void }

export class Findings {
  readonly list: Finding[] = []
  readonly counts: Record<Severity, number> = { error: 0, warning: 0, notice: 0 }
  #done = 0

  add(kind: KindName, { file, problem, offset, rows }: FoundAt): Found {
    const { severity, meaning, advice } = kinds[kind]
    this.counts[severity]++
    const finding: { -readonly [K in keyof Finding]: Finding[K] } = {
      kind,
      severity,
      file,
      ...(offset !== undefined && { offset }),
      problem,
      meaning,
      advice,
      ...(rows !== undefined && { rows }),
    }
    if (this.list.length < maxFindings) this.list.push(finding)
    return {
      kind,
      file,
      done: (what) => {
        if (finding.repair === undefined && severity !== 'notice') this.#done++
        finding.repair = finding.repair === undefined ? what : `${finding.repair}; ${what}`
      },
    }
  }

  get count(): number {
    return this.counts.error + this.counts.warning + this.counts.notice
  }

  /** Errors and warnings for which nothing was done. */
  get left(): number {
    return this.counts.error + this.counts.warning - this.#done
  }

  /** Adds those of `again` that are in `before` too: what was found once beside a running server may have been on its way. */
  keepRepeated(before: Findings, again: Findings): void {
    const idOf = ({ kind, file }: Finding): string => `${kind} ${file}`
    const seen = new Set(before.list.map(idOf))
    for (const finding of again.list) {
      if (seen.has(idOf(finding))) this.add(finding.kind as KindName, finding)
    }
  }
}
