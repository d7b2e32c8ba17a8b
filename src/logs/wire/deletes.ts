/** Delete requests: what they hide from queries, and what became of them. */

/** Rows that no query may show: those of a log query, in a range of time. The object of a request stays the same while it hides rows. */
export type HiddenRows = {
  /** Of the request; unique among those of its tenant. */
  readonly id: string
  /** See `rowQuery` in logql/planner/row-query.ts. */
  readonly query: string
  /** `startNs` included, `endNs` not. */
  readonly startNs: bigint
  readonly endNs: bigint
  /** Whether a block is known to have no such row: the request came to it before. */
  readonly isErasedFrom: (block: string) => boolean
}

/**
 * The contract between queries and deletes. Whoever asks first and takes a view of the data then sees no row of a request that was
 * acknowledged before.
 */
export interface HiddenRowsReader {
  hiddenRows(tenant: string): readonly HiddenRows[]
}

/** Where nothing is ever deleted. */
export const nothingHidden: HiddenRowsReader = { hiddenRows: () => [] }

/**
 * `masked`: queries do not see the lines, everything is still stored. `erasing`: the time to cancel is over, blocks are being written
 * anew. `erased`: no object and no segment of the write-ahead log has the lines any more.
 */
export type DeleteState = 'masked' | 'erasing' | 'erased'

export type DeleteRequest = {
  /** Eight hexadecimal digits. */
  readonly id: string
  readonly tenant: string
  readonly query: string
  /** Milliseconds since the epoch, both included. */
  readonly startMs: number
  readonly endMs: number
  readonly createdMs: number
  readonly state: DeleteState
  /** What was erased so far; bytes of lines and of names and values of metadata. */
  readonly erasedRows: number
  readonly erasedBytes: number
  /** Of blocks that had to be written anew, how many there were and how many are done. */
  readonly blocks: number
  readonly blocksDone: number
  /** When it became `erased`. */
  readonly erasedMs: number | undefined
}

export type NewDelete = Pick<DeleteRequest, 'query' | 'startMs' | 'endMs'>

/** The contract between the API and deletes. */
export interface DeleteRequests {
  /** Resolves when the request is stored and in force: queries that begin from then on do not see its lines. @throws LimitExceeded */
  create(tenant: string, request: NewDelete): Promise<DeleteRequest>
  /** In the order in which they were made. */
  list(tenant: string): readonly DeleteRequest[]
  /** Takes a request back; its lines are seen again, as far as they are there. @throws NotFound, BadRequest when it is too late. */
  cancel(tenant: string, id: string, options: { readonly force: boolean }): Promise<void>
  /** Longest `max_interval` that a request may ask for, in milliseconds. */
  maxIntervalMs(): number
  /** Rises whenever what is hidden from the queries of a tenant changes. */
  generation(tenant: string): number
}
