#compdef todo
# Completion of todo for zsh. The program is asked at each Tab; it prints a word and a line about it, with a tab between.
_todo() {
  local line value shown typed=$PREFIX
  local -a before offers open_offers options=(-M 'm:{[:lower:][:upper:]}={[:upper:][:lower:]}')
  [[ -z $compstate[quote] ]] && typed=${(Q)PREFIX}
  before=("${(@Q)words[2,CURRENT-1]}")
  for line in "${(@f)$(_TODO_COMPLETE=zsh ${~words[1]} "${before[@]}" "$typed" 2>/dev/null)}"; do
    value=${line%%$'\t'*}
    shown=${${value//\\/\\\\}//:/\\:}
    [[ -n ${line#*$'\t'} ]] && shown+=":${line#*$'\t'}"
    if [[ -z $value ]]; then
      [[ $line == *files ]] && _files
    elif [[ $value == *: ]]; then
      open_offers+=("$shown")  # the word goes on: project:
    else
      offers+=("$shown")
    fi
  done
  # the only word replaces the typed one even where it begins with a quote
  (($#offers + $#open_offers == 1)) && options=(-U)
  (($#offers)) && _describe -V todo offers $options
  (($#open_offers)) && _describe -V todo open_offers $options -S ''
}
if [[ $funcstack[1] == _todo ]]; then _todo "$@"; else compdef _todo todo; fi
