/** What a token allows: `repository:NAME:pull,push` (the token specification of Docker's registry). */

export interface Scope {
  /** `repository`, `registry`. */
  readonly type: string
  readonly name: string
  readonly actions: readonly string[]
}

export function repositoryScope(name: string, ...actions: readonly string[]): Scope {
  return { type: 'repository', name, actions }
}

export function formatScope(scope: Scope): string {
  return `${scope.type}:${scope.name}:${scope.actions.join(',')}`
}

/** Parses scopes separated by spaces; what has no three parts is left out. */
export function parseScopes(text: string): readonly Scope[] {
  return text.split(/\s+/).flatMap((part) => {
    const first = part.indexOf(':')
    // A name may hold a colon itself: `host:5000/app`.
    const last = part.lastIndexOf(':')
    if (first < 1 || last <= first) return []
    const actions = part.slice(last + 1).split(',')
    return [{ type: part.slice(0, first), name: part.slice(first + 1, last), actions }]
  })
}

/** One scope a name, with the actions of all; names and actions in the order in which they first came. */
export function joinScopes(scopes: readonly Scope[]): readonly Scope[] {
  const joined = new Map<string, Scope>()
  for (const scope of scopes) {
    const key = `${scope.type}:${scope.name}`
    const actions = [...(joined.get(key)?.actions ?? []), ...scope.actions]
    joined.set(key, { ...scope, actions: [...new Set(actions)] })
  }
  return [...joined.values()]
}

/** Whether `held` allows all of `wanted`. */
export function covers(held: readonly Scope[], wanted: readonly Scope[]): boolean {
  return wanted.every((want) =>
    held.some(
      (have) =>
        have.type === want.type &&
        have.name === want.name &&
        (have.actions.includes('*') || want.actions.every((action) => have.actions.includes(action))),
    ),
  )
}
