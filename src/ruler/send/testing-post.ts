/** A receiver for tests: answers as it is told, and keeps what it got. */
import type { Post, PostRequest } from './http-post.ts'

export type FakePost = {
  readonly post: Post
  readonly requests: PostRequest[]
  /** Statuses of the next answers, `undefined`: no answer; then 200. */
  readonly answers: (number | undefined)[]
}

export function fakePost(): FakePost {
  const requests: PostRequest[] = []
  const answers: (number | undefined)[] = []
  return {
    requests,
    answers,
    post: async (request) => {
      requests.push(request)
      const status = answers.length === 0 ? 200 : answers.shift()
      if (status === undefined) throw new Error('connection refused')
      return { status, message: `said ${status}`, retryAfterSeconds: undefined }
    },
  }
}
