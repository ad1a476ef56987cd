// How a show ends before its end. Thrown by the steps, told by main.ts.

/** Something that should have been shown did not happen. The message says what, for people. */
export class DemoFailure extends Error {
  override readonly name = 'DemoFailure'
}

/** The person ended it. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted'

  constructor(signal: string) {
    super(`ended by ${signal}`)
  }
}
