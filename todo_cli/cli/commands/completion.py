"""Print a shell's completion script."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from todo_cli.cli.render import text

PANEL = "Operate"
app = typer.Typer(add_completion=False)

SCRIPTS = {
    "bash": """_todo() {
  local IFS=$'\\n' mode=words
  [ "$COMP_CWORD" -eq 1 ] && [ "${COMP_WORDS[1]#-}" = "${COMP_WORDS[1]}" ] && mode=names
  local words="$(printf '%s\\n' "${COMP_WORDS[@]:0:COMP_CWORD+1}")"
  COMPREPLY=($(COMP_WORDS="$words" COMP_CWORD=$COMP_CWORD _TODO_COMPLETE=$mode "${COMP_WORDS[0]}" 2>/dev/null |
    cut -f1))
}
complete -o default -F _todo todo
""",
    "zsh": """#compdef todo
_todo() {
  local -a found
  local mode=words line
  local -x COMP_CWORD=$((CURRENT - 1))
  [[ $CURRENT -eq 2 && "$words[2]" != -* ]] && mode=names
  for line in "${(@f)$(COMP_WORDS="${(F)words[1,$CURRENT]}" _TODO_COMPLETE=$mode ${words[1]} 2>/dev/null)}"; do
    [[ -n $line ]] && found+=("${${line%%$'\\t'*}//:/\\\\:}:${line#*$'\\t'}")
  done
  if (( $#found )); then _describe todo found; else _files; fi
}
if [ "$funcstack[1]" = "_todo" ]; then _todo "$@"; else compdef _todo todo; fi
""",
    "fish": """function __todo_complete
  set -l words (commandline -opc) (commandline -ct)
  set -l mode words
  if test (count $words) -eq 2; and not string match -q -- '-*' $words[2]; set mode names; end
  set -l joined (string join \\n -- $words | string collect)
  env _TODO_COMPLETE=$mode COMP_WORDS=$joined COMP_CWORD=(math (count $words) - 1) todo 2>/dev/null
end
complete -c todo -f -a '(__todo_complete)'
""",
}


@app.command()
def completion(shell: Annotated[Literal["bash", "zsh", "fish"], typer.Argument(help="Name of the shell.")]) -> None:
    """Print a shell's completion script.

    todo completion bash >> ~/.bashrc

    todo completion fish > ~/.config/fish/completions/todo.fish
    """
    text.write(SCRIPTS[shell].rstrip())
