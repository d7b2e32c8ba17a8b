/** What the keeper of snapshots offers to those who ask for one. */

export interface Snapshots {
  /**
   * Makes a snapshot: everything that was acknowledged before the call is in it. Calls `send` as it goes on, and waits for it.
   * @throws BadRequest for a name that is wrong or taken; LimitExceeded while another one is made; Unavailable when the disk is nearly
   * full, or a flush or the store fails. Nothing is left of it then that counts.
   */
  create(name: string | undefined, send: SendSnapshotEvent, signal: AbortSignal): Promise<void>
  /** All snapshots, oldest first; what is wrong with one stands in it. */
  list(signal: AbortSignal): AsyncIterable<SnapshotInfo>
  /** Removes a snapshot and the blocks that no other one needs. @throws BadRequest, NotFound; LimitExceeded while one is made. */
  delete(name: string, signal: AbortSignal): Promise<DeletedSnapshot>
}

export type SendSnapshotEvent = (event: SnapshotEvent) => void | Promise<void>

export type SnapshotEvent =
  | ({ readonly type: 'progress'; readonly phase: 'flush' | 'copy' } & SnapshotProgress)
  | { readonly type: 'done'; readonly snapshot: SnapshotInfo }

export type SnapshotProgress = {
  readonly objects: number
  readonly totalObjects: number
  readonly bytes: number
  readonly totalBytes: number
}

export type SnapshotInfo = {
  readonly name: string
  /** When it began, RFC 3339. */
  readonly created: string
  readonly objects: number
  readonly bytes: number
  readonly rows: number
  /** Of these bytes, how many were copied or linked for this snapshot; the others are shared with those before. Unknown in lists. */
  readonly newBytes?: number
  /** Why it cannot be restored; undefined when its manifest is whole. */
  readonly problem?: string
}

/** With how many blocks went with it. */
export type DeletedSnapshot = { readonly name: string; readonly blocks: number; readonly bytes: number }

export type RestoreReport = {
  readonly name: string
  readonly objects: number
  readonly bytes: number
  readonly rows: number
}
