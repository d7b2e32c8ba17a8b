/**
 * The alerts of one rule and how they change with every evaluation:
 *
 *     inactive → pending → firing → (resolved) inactive
 *
 * A series that the query gives makes an alert pending, and firing once it was there for `forMs`. A firing alert whose series is
 * gone is resolved, after `keepFiringForMs`, and kept for a while as `inactive` so that its end is told. All as Prometheus does.
 */
import { type LabelPairs, labelKey } from '#/ruler/model/sample.ts'
import type { AlertState, SavedAlert } from '#/ruler/model/saved-state.ts'

/** For so long the end of an alert is told again. */
const resolvedRetentionMs = 900_000

export type Alert = { -readonly [K in keyof SavedAlert]: SavedAlert[K] }

/** One series of an evaluation. */
export type Found = { readonly labels: LabelPairs; readonly value: number }

export type Holds = { readonly forMs: number; readonly keepFiringForMs: number }

export type Outage = {
  readonly nowMs: number
  /** When the alerts were last evaluated. */
  readonly downAtMs: number
  /** A pending alert does not fire sooner than this after the outage. */
  readonly graceMs: number
}

export class AlertTable {
  readonly #alerts = new Map<string, Alert>()

  /** Pending and firing, and those whose end is still to be told. */
  all(): IterableIterator<Alert> {
    return this.#alerts.values()
  }

  /** Pending and firing. */
  active(): Alert[] {
    return [...this.#alerts.values()].filter(({ state }) => state !== 'inactive')
  }

  get(labels: LabelPairs): Alert | undefined {
    return this.#alerts.get(labelKey(labels))
  }

  /** `firing` before `pending` before `inactive`. */
  state(): AlertState {
    const states = new Set([...this.#alerts.values()].map(({ state }) => state))
    return states.has('firing') ? 'firing' : states.has('pending') ? 'pending' : 'inactive'
  }

  clear(): void {
    this.#alerts.clear()
  }

  /** Takes what an evaluation at `nowMs` found. */
  update(found: readonly Found[], nowMs: number, holds: Holds): void {
    const seen = new Set<string>()
    for (const { labels, value } of found) {
      const key = labelKey(labels)
      seen.add(key)
      const alert = this.#alerts.get(key)
      if (alert !== undefined && alert.state !== 'inactive') alert.value = value
      else this.#alerts.set(key, newAlert(labels, value, nowMs))
    }
    for (const [key, alert] of this.#alerts) {
      if (!seen.has(key)) this.#miss(key, alert, nowMs, holds)
      else {
        alert.keepFiringSinceMs = undefined
        fireIfDue(alert, nowMs, holds)
      }
    }
  }

  /** The query does not give the alert any more. */
  #miss(key: string, alert: Alert, nowMs: number, { keepFiringForMs }: Holds): void {
    if (alert.state === 'firing' && keepFiringForMs > 0) {
      alert.keepFiringSinceMs ??= nowMs
      if (nowMs - alert.keepFiringSinceMs < keepFiringForMs) return
    }
    const isOld = alert.resolvedAtMs !== undefined && nowMs - alert.resolvedAtMs > resolvedRetentionMs
    if (alert.state === 'pending' || isOld) this.#alerts.delete(key)
    else if (alert.state === 'firing') {
      alert.state = 'inactive'
      alert.resolvedAtMs = nowMs
    }
  }

  /** Goes on where another table stopped. */
  continue(before: AlertTable): void {
    for (const [key, alert] of before.#alerts) this.#alerts.set(key, alert)
    before.clear()
  }

  /** Takes over what was saved, with the time that nobody looked not counted to what is pending. */
  restore(saved: readonly SavedAlert[], { forMs }: Holds, { nowMs, downAtMs, graceMs }: Outage): void {
    for (const alert of saved) {
      const remainingMs = forMs - (downAtMs - alert.activeAtMs)
      const isShort = remainingMs < graceMs && forMs >= graceMs
      const shiftedMs = isShort ? nowMs + graceMs - forMs : alert.activeAtMs + Math.max(0, nowMs - downAtMs)
      const activeAtMs = alert.state === 'pending' && remainingMs > 0 ? shiftedMs : alert.activeAtMs
      this.#alerts.set(labelKey(alert.labels), { ...alert, activeAtMs })
    }
  }

  save(): readonly SavedAlert[] {
    return [...this.#alerts.values()].map((alert) => ({ ...alert }))
  }
}

/** Whether an alert is to be told now: it began or ended since it was told last, or that was `resendDelayMs` ago. */
export function isDue({ state, resolvedAtMs, lastSentMs }: Alert, nowMs: number, resendDelayMs: number): boolean {
  if (state === 'pending') return false
  if (lastSentMs === undefined) return true
  if (resolvedAtMs !== undefined && resolvedAtMs > lastSentMs) return true
  return lastSentMs + resendDelayMs < nowMs
}

function fireIfDue(alert: Alert, nowMs: number, { forMs }: Holds): void {
  if (alert.state !== 'pending' || nowMs - alert.activeAtMs < forMs) return
  alert.state = 'firing'
  alert.firedAtMs = nowMs
}

function newAlert(labels: LabelPairs, value: number, nowMs: number): Alert {
  return {
    labels,
    annotations: [],
    value,
    state: 'pending',
    activeAtMs: nowMs,
    firedAtMs: undefined,
    resolvedAtMs: undefined,
    lastSentMs: undefined,
    keepFiringSinceMs: undefined,
    lines: [],
  }
}
