/** Plans as plain data for people and programs: what is known without looking at data. Names of fields are part of the API. */

export type StagePlan = {
  readonly stage: string
  /** `page`: over the bytes of a whole page, before anything else; `row`: on each entry that is left. */
  readonly over: 'page' | 'row'
  /** What a parser extracts. */
  readonly extracts?: 'all' | 'nothing' | readonly string[]
  /** Where a derived filter does not hold. */
  readonly unless?: string
  /** How lines are searched; line filters only. */
  readonly search?: string
  /** Lines per second and core, by the class of the stage. */
  readonly megabytesPerSecond: number
}

/** A node of the tree that is evaluated over series. */
export type Operation = {
  readonly operation: string
  /** Which selection a leaf stands for. */
  readonly selection?: number
  readonly inputs?: readonly Operation[]
}

export type SamplePlan = {
  readonly function: string
  /** What an entry counts with. */
  readonly measure: string
  readonly range: string
  readonly offset?: string
  /** Which labels make a series. */
  readonly series: string
  /** The vector aggregation whose groups the scan makes itself. */
  readonly pushedDown?: string
  /** `fail`: an entry with an error fails the query; `keep`: it counts, as the query deals with errors itself. */
  readonly errors: 'fail' | 'keep'
  readonly sharding: Sharding
}

export type Sharding = {
  /** How the series of shards are put together; `none`: one scan must see all streams. */
  readonly merge: string
  /** The aggregation that shards compute as well. */
  readonly aggregation?: string
  readonly exact: boolean
  readonly reason: string
}
