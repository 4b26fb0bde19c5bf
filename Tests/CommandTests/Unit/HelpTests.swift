import Chat
import Foundation
import TestSupport
import Testing

@testable import gpt2_bench

/// What `--help` says, held against the options themselves.
struct HelpTests {
  private static let commands = Main.commands.map { $0.description }

  /// A text without what laying it out may change.
  private func words(_ text: String) -> String {
    text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
  }

  @Test(arguments: commands.map(\.name))
  func everyOptionStandsInItsGroupWithItsDefault(_ name: String) throws {
    let command = try Main.command(name).description
    let text = words(command.help)
    var rest = text[...]
    for group in OptionGroup.allCases {
      let options = command.allOptions.filter { $0.group == group }
      guard !options.isEmpty else { continue }
      let title = try #require(rest.range(of: "\(group.rawValue): "), "\(group)")
      rest = rest[title.upperBound...]
      for option in options {
        let line = try #require(
          rest.range(of: words("\(option.synopsis) \(option.help)")), "\(option.synopsis)")
        rest = rest[line.upperBound...]
      }
    }
    #expect(rest.isEmpty)
    expectContains(text, "usage: \(command.usage) ")
  }

  @Test func everyValueHasADefaultThatIsNamed() {
    for command in Main.visibleCommands {
      for option in command.allOptions where option.value != nil {
        expectEqual(option.standardValue?.isEmpty, false, "\(command.name) \(option.names[0])")
      }
    }
  }

  /// Of an operation alone llama-bench has no fields.
  @Test(arguments: [("matmul", false), ("ops", false), ("run", true), ("report", true)])
  func helpOffersTheFormatsThatACommandTakes(_ name: String, hasLlamaBench: Bool) throws {
    let options = try Main.command(name).description.options
    let format = try #require(options.first { $0.names == ["--format"] })
    expectEqual(format.choices.contains("llama-bench"), hasLlamaBench)
    #expect(format.choices.contains("html"))
  }

  @Test func noLineIsWiderThan80Columns() {
    for text in Self.commands.map(\.help) + [Main.overview] {
      for line in text.split(separator: "\n") { #expect(line.count <= 80, "\(line)") }
    }
  }

  @Test func everyCommandHasTwoOrThreeExamplesThatParse() throws {
    for command in Main.visibleCommands {
      #expect((2...3).contains(command.examples.count), "\(command.name)")
      for example in command.examples {
        #expect(example.does.count <= 78, "\(example.does)")
        let line = try #require(example.line.firstRange(of: "gpt2-bench "), "\(example.line)")
        // What follows is the shell's.
        let call = example.line[line.upperBound...].prefix { !"<>)".contains($0) }
        let typed = try QuotedWords.split(String(call), .shell, name: "example")
        expectEqual(typed.first, command.name, "\(example.line)")
        #expect(throws: Never.self, "\(example.line)") {
          _ = try Arguments(Array(typed.dropFirst()), of: command)
        }
      }
    }
  }

  @Test func theModelsFormatsAreNamed() {
    for format in ["safetensors", "GGUF", "llm.c", "seed"] { expectContains(Option.model.help, format) }
  }

  @Test func theOverviewNamesEverySubcommand() {
    let text = words(Main.overview)
    for command in Main.visibleCommands {
      expectContains(text, "\(command.name) \(words(command.summary))")
    }
    for name in Main.ownOptions.map(\.name) + ["help SUBCOMMAND"] { expectContains(text, name) }
  }
}
