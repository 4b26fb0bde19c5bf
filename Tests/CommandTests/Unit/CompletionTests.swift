import Foundation
import GPT2Kernels
import TestSupport
import Testing

@testable import gpt2_bench

/// What shells complete, held against the options themselves.
struct CompletionTests {
  private static let commands = Main.visibleCommands

  @Test func bashOffersEverySubcommand() throws {
    let found = try bash([""])[0]
    expectEqual(found, Self.commands.map(\.name) + ["--help", "--version"])
  }

  /// After a subcommand bash offers its options, and after each option what its value may be.
  @Test func bashOffersEveryOptionAndItsValues() throws {
    let options = Self.commands.flatMap { command in command.allOptions.map { (command, $0) } }
    let valued = options.filter { $0.1.value != nil }
    let found = try bash(Self.commands.map { "\($0.name) -" } + valued.map { "\($0.name) \($1.names[0]) " })
    for (command, words) in zip(Self.commands, found) {
      expectEqual(words, command.allOptions.flatMap(\.names), "\(command.name)")
    }
    for ((command, option), words) in zip(valued, found.dropFirst(Self.commands.count)) {
      expectEqual(words, option.choices, "\(command.name) \(option.names[0])")
    }
  }

  @Test func bashCompletesPartsOfAWord() throws {
    let lines = [
      "ge", "generate --variant=pac", "all --variants naive,pa", "all --model synthetic:ti", "list v",
      "report --fo",
      "/usr/bin/x all --suite qu",
    ]
    let expected: [[String]] = [
      ["generate"], ["packed"], ["naive,packed"], ["tiny"], ["variants"], ["--format"], ["quick"],
    ]
    try expectEqual(bash(lines), expected)
  }

  @Test func fishKnowsEveryOptionAndItsValues() {
    let lines = Shell.fish.script(Self.commands).split(separator: "\n")
    for command in Self.commands {
      let own = lines.filter { $0.contains("'__gpt2_bench_is \(command.name)'") }
      for option in command.allOptions {
        let names = option.names.map {
          $0.hasPrefix("--") ? "--long-option \($0.dropFirst(2)) " : "--short-option \($0.dropFirst()) "
        }
        let line = own.filter { line in names.allSatisfy(line.contains) }
        expectEqual(line.count, 1, "\(command.name) \(option.names)")
        #expect(line.first?.contains("--require-parameter") == (option.value != nil))
        for word in option.choices { expectEqual(line.first?.contains(word), true, "\(word)") }
      }
    }
  }

  @Test func zshKnowsEveryOptionAndItsValues() throws {
    let text = Shell.zsh.script(Self.commands)
    for command in Self.commands {
      let start = try #require(text.range(of: "\n  \(command.name))\n"), "\(command.name)")
      let lines = text[start.upperBound...].components(separatedBy: "\n    ;;")[0].split(separator: "\n")
      for option in command.allOptions {
        let several = "{\(option.names.joined(separator: ","))}"
        let start = "'\(option.names.count > 1 ? several : option.names[0])'["
        let line = lines.filter { $0.contains(start) }
        expectEqual(line.count, 1, "\(command.name) \(option.names)")
        for word in option.choices {
          expectEqual(line.first?.contains(word.replacing(":", with: "\\:")), true, "\(word)")
        }
      }
    }
  }

  /// What bash would offer after each of these lines, which follow the program's name.
  private func bash(_ lines: [String]) throws -> [[String]] {
    let calls = lines.map { line in
      let whole = line.hasPrefix("/") ? line : "gpt2-bench " + line
      return "COMP_LINE='\(whole)'; COMP_POINT=${#COMP_LINE}; _gpt2_bench; echo \"${COMPREPLY[*]}\"\n"
    }
    let process = Process()
    let (input, output) = (Pipe(), Pipe())
    process.executableURL = URL(fileURLWithPath: "/bin/bash")
    process.arguments = ["--norc", "-s"]
    process.environment = ["COMP_WORDBREAKS": " \t\n\"'><=;|&(:", "PATH": "/usr/bin:/bin"]
    (process.standardInput, process.standardOutput) = (input, output)
    try process.run()
    let script = Shell.bash.script(Self.commands) + calls.joined()
    DispatchQueue.global().async {
      input.fileHandleForWriting.write(Data(script.utf8))
      try? input.fileHandleForWriting.close()
    }
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    let found = text.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
    try #require(found.count == lines.count)
    return found.map { $0.split(separator: " ").map(String.init) }
  }
}
