import GPT2Kernels

/// A command line taken apart: options by their first name, operands in order. Every access checks what it
/// returns, and an error names the option, what was found and what was expected.
struct Arguments {
  let command: CommandDescription
  let operands: [String]
  /// By an option's first name; one value unless the option may be given several times.
  private let values: [String: [String]]

  /// - Parameter words: what stands behind the subcommand's name.
  init(_ words: [String], of command: CommandDescription) throws {
    var values: [String: [String]] = [:]
    var operands: [String] = []
    var rest = words[...]
    while let word = rest.popFirst() {
      if word == "--" {
        operands += rest
        break
      }
      guard word.hasPrefix("-"), word != "-" else {
        operands.append(word)
        continue
      }
      let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let name = String(parts[0])
      guard let option = command.allOptions.first(where: { $0.names.contains(name) }) else {
        let known = command.allOptions.map { $0.names[0] }.joined(separator: " ")
        throw UsageError("unknown option '\(name)', expected one of \(known)")
      }
      guard option.isRepeatable || values[option.names[0]] == nil else {
        throw UsageError("\(name): given twice, expected once")
      }
      if option.value == nil {
        guard parts.count == 1 else {
          throw UsageError(name, found: String(parts[1]), expected: "no value")
        }
        values[option.names[0], default: []].append("")
      } else if parts.count == 2 {
        values[option.names[0], default: []].append(String(parts[1]))
      } else {
        guard let value = rest.popFirst() else {
          throw UsageError("\(name): found nothing behind it, expected \(option.value ?? "a value")")
        }
        // Almost surely the value was forgotten; `--out=--quiet` still says it.
        guard !command.allOptions.contains(where: { $0.names.contains(value) }) else {
          throw UsageError(name, found: value, expected: "\(option.value ?? "a value") before another option")
        }
        values[option.names[0], default: []].append(value)
      }
    }
    guard values["--help"] != nil || command.operandCount.contains(operands.count) else {
      throw UsageError(
        operands.count > command.operandCount.upperBound
          ? "unexpected operand '\(operands[command.operandCount.upperBound])', usage: \(command.usage)"
          : "an operand is missing, usage: \(command.usage)")
    }
    self.command = command
    self.operands = operands
    self.values = values
  }

  func flag(_ name: String) -> Bool { values[name] != nil }

  func string(_ name: String) -> String? { values[name]?.first }

  /// All values of an option that may be given several times, in order.
  func strings(_ name: String) -> [String] { values[name] ?? [] }

  func integer(_ name: String, in range: ClosedRange<Int>) throws -> Int? {
    guard let text = string(name) else { return nil }
    return try Self.integer(text, name, in: range)
  }

  /// A list such as `1,2,4`, without repeats.
  func integers(_ name: String, in range: ClosedRange<Int>) throws -> [Int]? {
    guard let text = string(name) else { return nil }
    var seen: Set<Int> = []
    return try text.split(separator: ",", omittingEmptySubsequences: false)
      .map { try Self.integer(String($0), name, in: range) }
      .filter { seen.insert($0).inserted }
  }

  func number(_ name: String) throws -> Double? {
    guard let text = string(name) else { return nil }
    guard let number = Double(text), number.isFinite else {
      throw UsageError(name, found: text, expected: "a number")
    }
    return number
  }

  func unsigned(_ name: String) throws -> UInt64? {
    guard let text = string(name) else { return nil }
    guard let number = UInt64(text) else {
      throw UsageError(name, found: text, expected: "a whole number from 0 to \(UInt64.max)")
    }
    return number
  }

  func choice(_ name: String, of choices: [String]) throws -> String? {
    guard let text = string(name) else { return nil }
    guard choices.contains(text) else {
      throw UsageError(name, found: text, expected: "one of \(choices.joined(separator: ", "))")
    }
    return text
  }

  /// Token ids separated by spaces or commas.
  func ids(_ name: String) throws -> [Int]? {
    guard let text = string(name) else { return nil }
    return try text.split { $0 == " " || $0 == "," || $0.isWhitespace }.map { word in
      guard let id = Int(word), id >= 0 else {
        throw UsageError(name, found: String(word), expected: "token ids such as \"1 2 3\"")
      }
      return id
    }
  }

  func variant() throws -> Variant { try Self.variant(string("--variant") ?? Defaults.variant, "--variant") }

  /// The variants of `--variants`, in the ladder's order; all that this machine has where nothing is said.
  ///
  /// - Throws: `RunError` for one that needs what this machine lacks.
  func variants() throws -> [Variant] {
    guard let text = string("--variants"), text != "all" else { return Variant.available }
    let named = try text.split(separator: ",", omittingEmptySubsequences: false)
      .map { try Self.variant(String($0), "--variants").name }
    return Variant.all.filter { named.contains($0.name) }
      + Variant.lookedUp.filter { named.contains($0.name) }.compactMap(\.variant)
  }

  /// - Parameter option: what an error opens with.
  /// - Throws: `UsageError` for no variant; `RunError` for one that needs what this machine lacks.
  static func variant(_ name: String, _ option: String) throws -> Variant {
    if let lookedUp = Variant.lookedUp.first(where: { $0.name == name }) {
      do { return try lookedUp.found.get() } catch { throw RunError("\(option) \(name): \(error)") }
    }
    guard let variant = Variant.named(name) else {
      throw UsageError(option, found: name, expected: "one of \(Variant.names.joined(separator: ", "))")
    }
    return variant
  }

  private static func integer(_ text: String, _ name: String, in range: ClosedRange<Int>) throws -> Int {
    guard let number = Int(text), range.contains(number) else {
      let bounds =
        range.upperBound == .max
        ? "of at least \(range.lowerBound)" : "from \(range.lowerBound) to \(range.upperBound)"
      throw UsageError(name, found: text, expected: "a whole number \(bounds)")
    }
    return number
  }
}

enum Defaults {
  static let variant = Variant.preferred.name
}
