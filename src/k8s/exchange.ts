// One HTTP request and its answer over an undici dispatcher: deadline, silence, cancellation, and what each kind of break means.
// Used by the transport alone. Messages name the call and the network error, never headers or bodies.
//
//   queued --connection free--> sent --head--> answered --last byte--> over
//      \___________ deadline, abort, network error: fail() ___________/

import type { Dispatcher } from 'undici'
import type { Clock } from '../base/clock.ts'
import type { Call, Reply } from './call.ts'
import { type ApiError, type LocalStatus, localError } from './errors.ts'
import { createLineSplitter } from './lines.ts'

export interface ExchangeOptions {
  readonly call: Call
  /** With query. */
  readonly path: string
  /** Names and values in turn. */
  readonly headers: string[]
  readonly clock: Clock
  readonly deadlineMs: number
}

/** A consumer that is so many bytes behind stops the socket from being read. */
const MAX_BUFFERED_BYTES = 1024 * 1024

/** Of an ordinary answer. A tenant can fill pages with Secrets of 1 MiB; nobody may make this process hold hundreds of them at once. */
const MAX_ANSWER_BYTES = 32 * 1024 * 1024

/** Sends the call; see Transport.request for what it resolves and rejects with. */
export function exchange(dispatcher: Dispatcher, origin: string, options: ExchangeOptions): Promise<Reply> {
  const { call, path, headers } = options
  return new Promise((resolve, reject) => {
    const handler = new Exchange(options, resolve, reject)
    if (handler.isOver) return
    try {
      dispatcher.dispatch({ origin, path, method: call.method, headers, body: call.body ?? null }, handler)
    } catch (error) {
      handler.onResponseError(undefined, error as Error)
    }
  })
}

class Exchange implements Dispatcher.DispatchHandler {
  readonly #call: Call
  readonly #clock: Clock
  readonly #resolve: (reply: Reply) => void
  readonly #reject: (error: ApiError) => void
  readonly #onAbort: (() => void) | undefined
  #cancelTimer: () => void
  #controller: Dispatcher.DispatchController | undefined
  #status = 0
  #retryAfterMs: number | undefined
  #date: number | undefined
  #streaming = false
  #failure: ApiError | undefined
  #ended = false
  /** Of an ordinary answer all of it, of a stream what was not taken yet. */
  #chunks: Buffer[] = []
  #bufferedBytes = 0
  #lastByteAt = 0
  #wake: (() => void) | undefined

  constructor({ call, clock, deadlineMs }: ExchangeOptions, resolve: (reply: Reply) => void, reject: (error: ApiError) => void) {
    this.#call = call
    this.#clock = clock
    this.#resolve = resolve
    this.#reject = reject
    this.#cancelTimer = clock.after(deadlineMs, () =>
      this.#fail(this.#controller === undefined ? 'NotSent' : 'TimedOut', 'no answer in time'),
    )
    if (call.signal !== undefined) {
      this.#onAbort = () => this.#fail('Cancelled', 'cancelled')
      if (call.signal.aborted) this.#onAbort()
      else call.signal.addEventListener('abort', this.#onAbort, { once: true })
    }
  }

  get isOver(): boolean {
    return this.#ended || this.#failure !== undefined
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    if (this.#failure === undefined) this.#call.beforeSending?.()
    if (this.#failure !== undefined) return controller.abort(this.#failure)
    this.#controller = controller
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    if (status < 200) return
    this.#status = status
    this.#retryAfterMs = readRetryAfter(headers['retry-after'], this.#clock)
    this.#date = readDate(headers['date'])
    if (this.#call.idleMs === undefined || status >= 300) return
    this.#streaming = true
    this.#cancelTimer()
    this.#lastByteAt = this.#clock.monotonic()
    this.#watchSilence(this.#call.idleMs, this.#call.idleMs)
    this.#resolve(this.#reply())
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#bufferedBytes += chunk.length
    if (!this.#streaming && this.#bufferedBytes > MAX_ANSWER_BYTES) return this.#fail('AnswerTooLarge', 'the answer is larger than 32 MiB')
    this.#chunks.push(chunk)
    if (!this.#streaming) return
    this.#lastByteAt = this.#clock.monotonic()
    if (this.#bufferedBytes > MAX_BUFFERED_BYTES) controller.pause()
    this.#wake?.()
  }

  onResponseEnd(): void {
    if (this.isOver) return
    this.#ended = true
    this.#settle()
    if (!this.#streaming) this.#resolve(this.#reply())
  }

  onResponseError(_controller: Dispatcher.DispatchController | undefined, error: Error): void {
    this.#fail(this.#controller === undefined ? 'NotSent' : 'ConnectionLost', describeNetworkError(error))
  }

  #fail(status: LocalStatus, detail: string): void {
    if (this.isOver) return
    const failure = localError(status, `${this.#call.verb} ${this.#call.resource}: ${detail}`)
    this.#failure = failure
    this.#settle()
    this.#controller?.abort(failure)
    if (!this.#streaming) this.#reject(failure)
  }

  #settle(): void {
    this.#cancelTimer()
    if (this.#onAbort !== undefined) this.#call.signal?.removeEventListener('abort', this.#onAbort)
    this.#wake?.()
  }

  /** One timer for the whole stream instead of one a chunk: when it fires it looks how long the silence is and waits for the rest. */
  #watchSilence(idleMs: number, ms: number): void {
    this.#cancelTimer = this.#clock.after(ms, () => {
      const behind = this.#bufferedBytes > MAX_BUFFERED_BYTES
      if (behind) this.#lastByteAt = this.#clock.monotonic()
      const left = idleMs - (this.#clock.monotonic() - this.#lastByteAt)
      if (left > 0) this.#watchSilence(idleMs, left)
      else this.#fail('TimedOut', `the stream was silent for ${Math.round(idleMs / 1000)} s`)
    })
  }

  #reply(): Reply {
    return {
      status: this.#status,
      retryAfterMs: this.#retryAfterMs,
      date: this.#date,
      text: () => this.#text(),
      lines: () => this.#lines(),
    }
  }

  async #text(): Promise<string> {
    while (!this.isOver) await this.#woken()
    if (this.#failure !== undefined) throw this.#failure
    return (this.#chunks.length === 1 ? (this.#chunks[0] as Buffer) : Buffer.concat(this.#chunks)).toString('utf8')
  }

  async *#lines(): AsyncGenerator<string> {
    const splitter = createLineSplitter()
    try {
      for (;;) {
        const chunks = this.#take()
        for (const chunk of chunks) yield* splitter.push(chunk)
        if (chunks.length > 0) continue
        if (this.#failure !== undefined) throw this.#failure
        if (this.#ended) break
        await this.#woken()
      }
      if (splitter.pendingBytes > 0)
        throw localError('ConnectionLost', `${this.#call.verb} ${this.#call.resource}: the stream ended within a line`)
    } catch (error) {
      if (error instanceof RangeError) throw localError('UnreadableReply', `${this.#call.verb} ${this.#call.resource}: ${error.message}`)
      throw error
    } finally {
      // The consumer left early: the connection is of no use to anybody any more.
      this.#fail('Cancelled', 'the stream was left')
    }
  }

  #take(): Buffer[] {
    const chunks = this.#chunks
    if (chunks.length === 0) return chunks
    this.#chunks = []
    const wasBehind = this.#bufferedBytes > MAX_BUFFERED_BYTES
    this.#bufferedBytes = 0
    if (wasBehind && !this.isOver) this.#controller?.resume()
    return chunks
  }

  #woken(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = undefined
        resolve()
      }
    })
  }
}

function readDate(header: string | string[] | undefined): number | undefined {
  const at = Date.parse(String(header))
  return Number.isNaN(at) ? undefined : at
}

/** RFC 9110 s. 10.2.3: seconds or an HTTP date. Milliseconds; undefined where there is none that can be read. */
function readRetryAfter(header: string | string[] | undefined, clock: Clock): number | undefined {
  const text = Array.isArray(header) ? header[0] : header
  if (text === undefined) return undefined
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000
  const at = Date.parse(text)
  return Number.isNaN(at) ? undefined : Math.max(0, at - clock.now())
}

/** `connect ECONNREFUSED 127.0.0.1:6443`, `other side closed`: the first line of the innermost message. */
function describeNetworkError(error: Error): string {
  const inner = error instanceof AggregateError && error.errors[0] instanceof Error ? error.errors[0] : error
  const message = inner.message || ('code' in inner ? String(inner.code) : inner.name)
  return (message.split('\n', 1)[0] as string).slice(0, 200)
}
