# Completion of todo for fish. The program is asked at each Tab; it prints a word and a line about it, with a tab between.
function __todo_complete
  set -l words (commandline -opc)
  set -e words[1]
  set -l typed (commandline -ct | string collect --allow-empty)
  for line in (_TODO_COMPLETE=fish todo $words "$typed" 2>/dev/null)
    if test "$line" = \tfiles
      __fish_complete_path "$typed"
    else
      printf '%s\n' $line
    end
  end
end
complete -c todo -f -k -a '(__todo_complete)'
