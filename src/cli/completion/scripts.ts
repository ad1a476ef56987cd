// The scripts that make a shell ask `kubectl-mutual __complete` what may come next. Pure texts. `kubectl mutual` itself is completed by kubectl's own
// script, which asks a program called kubectl_complete-mutual.

import type { SHELLS } from './candidates.ts'

const BASH = `# bash completion of kubectl-mutual: source <(kubectl-mutual completion bash)
_kubectl_mutual() {
  local line
  COMPREPLY=()
  while IFS= read -r line; do
    [[ $line == :* ]] || COMPREPLY+=("\${line%%$'\\t'*}")
  done < <(kubectl-mutual __complete "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _kubectl_mutual kubectl-mutual
`

const ZSH = `#compdef kubectl-mutual
# zsh completion of kubectl-mutual: source <(kubectl-mutual completion zsh)
_kubectl_mutual() {
  local -a lines
  lines=(\${(f)"$(kubectl-mutual __complete "\${(@)words[2,CURRENT]}" 2>/dev/null)"})
  lines=(\${lines:#:*})
  lines=(\${lines//:/\\\\:})
  lines=(\${lines/$'\\t'/:})
  _describe 'kubectl mutual' lines
}
compdef _kubectl_mutual kubectl-mutual
`

const FISH = `# fish completion of kubectl-mutual: kubectl-mutual completion fish | source
complete -c kubectl-mutual -f -a '(kubectl-mutual __complete (commandline -opc)[2..] (commandline -ct) 2>/dev/null | string match -v ":*")'
`

export const COMPLETION_SCRIPTS: Readonly<Record<(typeof SHELLS)[number], string>> = { bash: BASH, zsh: ZSH, fish: FISH }
