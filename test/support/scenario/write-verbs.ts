// The verbs that change something at the API server. Used by scenarios, and by oracles that count writes.

const WRITE_VERBS: ReadonlySet<string> = new Set(['create', 'update', 'patch', 'delete'])

export const isWriteVerb = (verb: string): boolean => WRITE_VERBS.has(verb)
