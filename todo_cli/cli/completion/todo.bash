# Completion of todo for bash. The program is asked at each Tab; it prints a word and a line about it, with a tab between.
_todo() {
  local program line value width=0 index
  local -a values=() abouts=()
  COMPREPLY=()
  program=$(type -P -- "${1/#\~/$HOME}") || program=todo
  line=$(_TODO_COMPLETE=bash "$program" "${COMP_LINE:0:COMP_POINT}" "$2" 2>/dev/null) || return 0
  while IFS= read -r line; do
    value=${line%%$'\t'*}
    if [[ -n $value ]]; then
      values+=("$value")
      abouts+=("${line#*$'\t'}")
      ((${#value} > width)) && width=${#value}
    elif [[ $line == *files ]]; then
      compopt -o default 2>/dev/null
    fi
  done <<<"$line"
  # a word that ends with a colon goes on: project:
  [[ ${#values[@]} -eq 1 && $value == *: ]] && compopt -o nospace 2>/dev/null
  # the lines are shown where bash lists the words, and never where it inserts one of them
  if [[ ${#values[@]} -gt 1 && $COMP_TYPE != 37 && $COMP_TYPE != 42 ]]; then
    for index in "${!values[@]}"; do
      [[ -n ${abouts[index]} ]] || continue
      printf -v line '%-*s  (%s)' "$width" "${values[index]}" "${abouts[index]}"
      ((${#line} > ${COLUMNS:-80} - 2)) && line="${line:0:${COLUMNS:-80} - 4}…)"
      values[index]=$line
    done
  fi
  COMPREPLY=("${values[@]}")
}
complete -o nosort -F _todo todo 2>/dev/null || complete -F _todo todo
