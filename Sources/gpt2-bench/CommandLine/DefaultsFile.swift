import Files
import Foundation
import GPT2Model

/// Options of one's own that a command takes where its command line does not have them: those of `--config FILE`, or of
/// `.gpt2-bench.json` in the project's folder. An object for each subcommand holds its options, without dashes:
///
///     {"all": {"suite": "full", "t": [1, 2]}, "generate": {"temperature": 0.8, "ignore-eos": true}}
struct DefaultsFile {
  static let name = ".gpt2-bench.json"
  static let option = Option(
    "--config", value: "FILE", in: .general, default: "\(name) in the project's folder",
    help: "options of your own, as JSON; none for none")

  private static let nothing = "none"

  let path: String
  private let options: [String: [String: Value]]

  /// - Throws: `ModelError` for a file that cannot be read; `RunError` that names the file and the field.
  init(path: String) throws {
    let data = try ModelFile.readAll(path)
    self.path = path
    do { options = try JSONDecoder().decode([String: [String: Value]].self, from: data) } catch let error
      as DecodingError
    {
      let field = JSONProblem(error).field
      throw RunError(
        "\(path): \(field.isEmpty ? "" : field + ": ")expected an object for each subcommand, and in it a text, a "
          + "number, true, false or a list for each option")
    }
    let known = Set(Main.commands.map { $0.description }.filter { !$0.isHidden }.map(\.name))
    if let other = options.keys.sorted().first(where: { !known.contains($0) }) {
      throw RunError(
        "\(path): \(other): no such subcommand, expected one of \(known.sorted().joined(separator: ", "))")
    }
  }

  /// The file of a command line; nil where none is to be read.
  /// - Throws: `RunError` for one that cannot be read or is not as it should be.
  init?(_ arguments: Arguments) throws {
    if let path = arguments.string(Self.option.names[0]) {
      guard path != Self.nothing else { return nil }
      try self.init(path: path)
      return
    }
    guard let root = try? Project().root, Output.isFile("\(root)/\(Self.name)") else { return nil }
    try self.init(path: Project.shown("\(root)/\(Self.name)"))
  }

  /// What of the file stands for a command that was called without it, as words of a command line.
  /// - Throws: `RunError` for an option that the command has not, and for a value that it does not take.
  func words(for command: CommandDescription, besides arguments: Arguments) throws -> [String] {
    try (options[command.name] ?? [:]).sorted { $0.key < $1.key }.flatMap { name, value in
      let field = "\(path): \(command.name).\(name.safeLine(limit: 200))"
      guard let option = command.options.first(where: { $0.names.contains { $0.drop { $0 == "-" } == name } })
      else { throw RunError("\(field): no such option, expected one of \(command.name)'s, without dashes") }
      if arguments.flag(option.names[0]) { return [String]() }
      switch value {
      case .flag(let isSet):
        guard option.value == nil else {
          throw RunError("\(field): found \(isSet), expected \(option.value ?? "")")
        }
        return isSet ? [option.names[0]] : []
      case .values(let values):
        guard option.value != nil else {
          throw RunError(
            "\(field): found \(values.joined(separator: ",").safeLine(limit: 200)), expected true or false")
        }
        return (option.isRepeatable ? values : [values.joined(separator: ",")]).map {
          "\(option.names[0])=\($0)"
        }
      }
    }
  }

  private enum Value: Decodable {
    case flag(Bool)
    case values([String])

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let flag = try? container.decode(Bool.self) {
        self = .flag(flag)
      } else if let one = try? container.decode(Scalar.self) {
        self = .values([one.text])
      } else {
        self = .values(try container.decode([Scalar].self).map(\.text))
      }
    }
  }

  /// A text, or a number as a command line has it.
  private struct Scalar: Decodable {
    let text: String

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let number = try? container.decode(Int.self) {
        text = "\(number)"
      } else if let number = try? container.decode(Double.self) {
        text = "\(number)"
      } else {
        text = try container.decode(String.self)
      }
    }
  }
}
