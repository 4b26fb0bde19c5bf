/// A shell for which completions are made from what the command line knows of its subcommands.
enum Shell: String, CaseIterable {
  case bash, zsh, fish

  /// What the shell reads to complete subcommands, their options, and the values that are known by name.
  func script(_ commands: [CommandDescription]) -> String {
    let about = "# Completions of gpt2-bench, as 'gpt2-bench completions \(rawValue)' prints them.\n"
    return switch self {
    case .bash: about + Self.bashScript(commands)
    case .zsh: "#compdef gpt2-bench\n" + about + Self.zshScript(commands)
    case .fish: about + Self.fishScript(commands)
    }
  }

  private static func bashScript(_ commands: [CommandDescription]) -> String {
    let cases: [String] = commands.flatMap { command -> [String] in
      let valued = command.allOptions.filter { $0.value != nil }
      return valued.map { bashValues($0, of: command) } + [
        "    '\(command.name) '*) \(bashOperands(command)) ;;"
      ]
    }
    let names = commands.map(\.name) + Main.ownOptions.map(\.name)
    return #"""
      _gpt2_bench() {
        local line=${COMP_LINE:0:COMP_POINT} word before command words='' paths='' list='' start='' kept=''
        local -a typed
        word=${line##*[[:space:]]}
        read -ra typed <<<"${line%"$word"}"
        command=${typed[1]-} before=${typed[${#typed[@]} - 1]-}
        if [[ $word == --*=* ]]; then before=${word%%=*} word=${word#*=}; fi
        if ((${#typed[@]} < 2)); then
          words='\#(names.joined(separator: " "))'
        else
          case "$command $before" in
      \#(cases.map { $0 + "\n" }.joined())    esac
        fi
        [[ -z $list ]] || start=${word%"${word##*,}"}
        mapfile -t COMPREPLY < <(compgen -P "$start" -W "$words" -- "${word#"$start"}")
        # Readline replaces only what follows the last colon.
        [[ $COMP_WORDBREAKS != *:* ]] || kept=${word%"${word##*:}"}
        COMPREPLY=("${COMPREPLY[@]#"$kept"}")
        [[ -n $paths ]] || compopt +o default 2>/dev/null
      }
      complete -o default -F _gpt2_bench gpt2-bench

      """#
  }

  private static func bashValues(_ option: Option, of command: CommandDescription) -> String {
    let patterns = option.names.map { "'\(command.name) \($0)'" }.joined(separator: " | ")
    let paths = option.takesPath ? " paths=yes" : ""
    let list = option.isList ? " list=yes" : ""
    return "    \(patterns)) words='\(option.choices.joined(separator: " "))'\(paths)\(list) ;;"
  }

  private static func bashOperands(_ command: CommandDescription) -> String {
    let options = command.allOptions.flatMap(\.names).joined(separator: " ")
    guard command.operandCount.upperBound > 0 else { return "words='\(options)'" }
    let operands =
      command.operandWords.isEmpty ? "paths=yes" : "words='\(command.operandWords.joined(separator: " "))'"
    return "if [[ $word == -* ]]; then words='\(options)'; else \(operands); fi"
  }

  private static func zshScript(_ commands: [CommandDescription]) -> String {
    let described = commands.map { "    \(quoted("\($0.name):\($0.summary)"))\n" }
    let cases = commands.map { command in
      let specifications = command.allOptions.map(zshOption) + zshOperands(command)
      return
        "  \(command.name))\n    _arguments \(specifications.map { "\\\n      " + $0 }.joined(separator: " "))\n    ;;\n"
    }
    return #"""
      _gpt2_bench() {
        local -a commands
        commands=(
      \#(described.joined())  )
        if ((CURRENT == 2)); then
          _describe -t commands subcommand commands
          compadd -- \#(Main.ownOptions.map(\.name).joined(separator: " "))
          return
        fi
        local command=$words[2]
        shift words
        ((CURRENT--))
        case $command in
      \#(cases.joined())  esac
      }
      if [[ $funcstack[1] == _gpt2-bench ]]; then _gpt2_bench "$@"; else compdef _gpt2_bench gpt2-bench; fi

      """#
  }

  private static func zshOption(_ option: Option) -> String {
    let names = option.names.count > 1 ? "{\(option.names.joined(separator: ","))}" : option.names[0]
    let others = option.isRepeatable ? "*" : "(\(option.names.joined(separator: " ")))"
    let start = quoted(others) + names + quoted("[\(escaped(option.summary, "[]:\\"))]")
    guard let value = option.value else { return start }
    let words = option.choices.map { escaped($0, ":") }.joined(separator: " ")
    let action =
      switch (words.isEmpty, option.takesPath, option.isList) {
      case (true, true, _): "_files"
      case (true, false, _): "( )"
      case (false, true, _): "{compadd -- \(words); _files}"
      case (false, false, true): "_sequence compadd - \(words)"
      case (false, false, false): "(\(words))"
      }
    return start + quoted(":\(escaped(value, "[]:\\")):\(action)")
  }

  private static func zshOperands(_ command: CommandDescription) -> [String] {
    guard command.operandCount.upperBound > 0 else { return [] }
    let words = command.operandWords.joined(separator: " ")
    return [words.isEmpty ? "'*:operand:_files'" : "'1:word:(\(words))'"]
  }

  private static func fishScript(_ commands: [CommandDescription]) -> String {
    let own = Main.ownOptions.map {
      "--long-option \($0.name.dropFirst(2)) --description \(fishQuoted($0.help))"
    }
    let bare =
      (commands.map { "--arguments \($0.name) --description \(fishQuoted($0.summary))" } + own)
      .map { "complete --command gpt2-bench --condition __gpt2_bench_is_bare \($0)\n" }
    let lines = commands.flatMap { command in
      (command.allOptions.map(fishOption) + fishOperands(command)).map {
        "complete --command gpt2-bench --condition '__gpt2_bench_is \(command.name)' \($0)\n"
      }
    }
    return """
      function __gpt2_bench_is_bare
          test (count (commandline -opc)) -eq 1
      end
      function __gpt2_bench_is
          set -l words (commandline -opc)
          test (count $words) -gt 1; and test $words[2] = $argv[1]
      end
      complete --command gpt2-bench --no-files
      \(bare.joined())\(lines.joined())
      """
  }

  private static func fishOption(_ option: Option) -> String {
    var words = option.names.map {
      $0.hasPrefix("--") ? "--long-option \($0.dropFirst(2))" : "--short-option \($0.dropFirst())"
    }
    if option.value != nil {
      words.append("--require-parameter")
      if option.takesPath { words.append("--force-files") }
      let choices = option.choices.joined(separator: " ")
      if !choices.isEmpty {
        let arguments = option.isList ? "(__fish_complete_list , 'string join \\n \(choices)')" : choices
        words.append("--arguments \(fishQuoted(arguments))")
      }
    }
    return (words + ["--description \(fishQuoted(option.summary))"]).joined(separator: " ")
  }

  private static func fishOperands(_ command: CommandDescription) -> [String] {
    guard command.operandCount.upperBound > 0 else { return [] }
    let words = command.operandWords.joined(separator: " ")
    return [words.isEmpty ? "--force-files" : "--arguments '\(words)'"]
  }

  /// A word of fish.
  private static func fishQuoted(_ text: String) -> String { "'" + escaped(text, "'\\") + "'" }

  /// A word of bash and zsh.
  private static func quoted(_ text: String) -> String { "'" + text.replacing("'", with: "'\\''") + "'" }

  private static func escaped(_ text: String, _ special: String) -> String {
    text.map { special.contains($0) ? "\\\($0)" : String($0) }.joined()
  }
}
