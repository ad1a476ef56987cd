// The environment of the process, read here and nowhere else; the entries hand it to whoever reads flags. Nothing else may depend on it.

export type Environment = Readonly<Record<string, string | undefined>>

/** As it is now. */
export const processEnvironment = (): Environment => process.env
