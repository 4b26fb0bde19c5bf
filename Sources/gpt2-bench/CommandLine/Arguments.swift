import Chat
import Files
import GPT2Kernels
import Reporting

/// A command line taken apart: options by their first name, operands in order. Every access checks what it
/// returns, and an error names the option, what was found and what was expected.
struct Arguments {
  /// The whole command, as a record keeps it: it can be given again.
  private(set) var command: [String]
  let operands: [String]
  /// By an option's first name; one value unless the option may be given several times.
  private var values: [String: [String]]
  /// The name that was typed, by an option's first name.
  private let typedNames: [String: String]

  /// - Parameter words: what comes after the subcommand's name.
  init(_ words: [String], of command: CommandDescription) throws {
    let options = command.allOptions
    var values: [String: [String]] = [:]
    var typedNames: [String: String] = [:]
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
      let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      let name = parts[0]
      guard let option = options.first(where: { $0.names.contains(name) }) else {
        throw UsageError(unknown: "option", name, among: options.flatMap(\.names))
      }
      guard option.isRepeatable || values[option.names[0]] == nil else {
        throw UsageError("\(name): given twice, expected once")
      }
      let value: String
      if let expected = option.value {
        guard let given = parts.count == 2 ? parts[1] : rest.popFirst() else {
          throw UsageError("\(name): found nothing after it, expected \(expected)")
        }
        // Almost surely the value was forgotten; `--out=--quiet` still says it.
        guard parts.count == 2 || !options.contains(where: { $0.names.contains(given) }) else {
          throw UsageError(name, found: given, expected: "\(expected) before another option")
        }
        value = given
      } else {
        guard parts.count == 1 else { throw UsageError(name, found: parts[1], expected: "no value") }
        value = ""
      }
      values[option.names[0], default: []].append(value)
      typedNames[option.names[0]] = name
    }
    guard values["--help"] != nil || command.operandCount.contains(operands.count) else {
      throw UsageError(
        operands.count > command.operandCount.upperBound
          ? "unexpected operand '\(operands[command.operandCount.upperBound].safeLine(limit: 200))', usage: \(command.usage)"
          : "an operand is missing, usage: \(command.usage)")
    }
    self.command = ["gpt2-bench", command.name] + words
    self.operands = operands
    self.values = values
    self.typedNames = typedNames
  }

  /// The same command with this one value of an option.
  func setting(_ name: String, to value: String) -> Arguments {
    var changed = self
    changed.values[name] = [value]
    let typed = typed(name)
    if let place = command.firstIndex(of: typed) {
      changed.command[place + 1] = value
    } else if let place = command.firstIndex(where: { $0.hasPrefix(typed + "=") }) {
      changed.command[place] = "\(typed)=\(value)"
    } else {
      changed.command += [typed, value]
    }
    return changed
  }

  func flag(_ name: String) -> Bool { values[name] != nil }

  /// An option as it was typed, for what is wrong with it; by its first name where it is not given.
  func typed(_ name: String) -> String { typedNames[name] ?? name }

  func string(_ name: String) -> String? { values[name]?.first }

  /// All values of an option that may be given several times, in order.
  func strings(_ name: String) -> [String] { values[name] ?? [] }

  func integer(_ name: String, in range: ClosedRange<Int>) throws -> Int? {
    try string(name).map { try Self.integer($0, typed(name), in: range) }
  }

  /// A list such as `1,2,4`, without repeats.
  func integers(_ name: String, in range: ClosedRange<Int>) throws -> [Int]? {
    guard let text = string(name) else { return nil }
    return try text.split(separator: ",", omittingEmptySubsequences: false)
      .map { try Self.integer(String($0), typed(name), in: range) }.uniqued()
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

  func number(_ name: String) throws -> Double? {
    try value(name, expected: "a number") { Double($0).flatMap { $0.isFinite ? $0 : nil } }
  }

  func unsigned(_ name: String) throws -> UInt64? {
    try value(name, expected: "a whole number from 0 to \(UInt64.max)") { UInt64($0) }
  }

  func choice(_ name: String, of choices: [String]) throws -> String? {
    guard let text = string(name) else { return nil }
    guard choices.contains(text) else { throw UsageError(name, found: text, oneOf: choices) }
    return text
  }

  func choice<Choice: RawRepresentable<String>>(_ name: String, of choices: [Choice]) throws -> Choice? {
    try choice(name, of: choices.map(\.rawValue)).flatMap(Choice.init)
  }

  private func value<Value>(_ name: String, expected: String, _ parse: (String) -> Value?) throws -> Value? {
    guard let text = string(name) else { return nil }
    guard let value = parse(text) else { throw UsageError(name, found: text, expected: expected) }
    return value
  }

  /// The error for an option's value. It shows what was typed: a number that was read from it may print otherwise.
  ///
  /// - Parameter standard: what holds where the option is not given.
  func refusal(of name: String, standard: String = "", expected: String) -> UsageError {
    UsageError(typed(name), found: string(name) ?? standard, expected: expected)
  }

  /// What must be given.
  ///
  /// - Throws: `UsageError` where `value`, the option's, is nil.
  func required<Value>(_ name: String, _ value: Value?, expected: String) throws -> Value {
    guard let value else { throw UsageError("\(name): found nothing, expected \(expected)") }
    return value
  }
}

extension Arguments {
  /// What comes after the program's name.
  ///
  /// - Throws: `UsageError` for what is not UTF-8: as text it would be another file's name.
  static func words(
    _ values: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>, count: Int32
  ) throws -> [String] {
    try (0..<Int(count)).dropFirst().map { index in
      guard let bytes = values[index] else { throw UsageError("argument \(index): found nothing") }
      guard let word = String(validatingCString: bytes) else {
        throw UsageError("argument \(index)", found: String(cString: bytes), expected: "UTF-8 text")
      }
      return word
    }
  }

  func ids(_ name: String) throws -> [Int]? {
    guard let words = string(name)?.split(whereSeparator: { $0 == "," || $0.isWhitespace }) else {
      return nil
    }
    return try tokenIDs(words) {
      UsageError(name, found: String($0), expected: "token ids such as \"1 2 3\"")
    }
  }

  /// What `-t` says where it takes one number; all cores where nothing is said.
  func threads() throws -> Int { try integer("-t", in: Threads.range) ?? Threads.available }

  func variant() throws -> Variant {
    try caching(Self.variant(string("--variant") ?? Defaults.variant, "--variant"))
  }

  /// The variants of `--variants`, in the ladder's order; where nothing is said, all that this machine has and that can have
  /// the cache of `--kv`.
  ///
  /// - Throws: `RunError` for one that needs what this machine lacks.
  func variants() throws -> [Variant] {
    guard let text = string("--variants"), text != "all" else {
      let precision = try cache() ?? .f32
      return Variant.available.compactMap { $0.caching(in: precision) }
    }
    let named = try text.split(separator: ",", omittingEmptySubsequences: false)
      .map { try caching(Self.variant(String($0), "--variants")).name }
    let known = Variant.all.flatMap { rung in
      Variant.cachePrecisions.compactMap { rung.caching(in: $0) }
    }
    return known.filter { named.contains($0.name) }
      + Variant.lookedUp.filter { named.contains($0.name) }.compactMap(\.variant)
  }

  /// What `--kv` says; nil where it is not given.
  private func cache() throws -> WeightPrecision? {
    try choice(Option.kv.names[0], of: Variant.cachePrecisions)
  }

  /// The variant with the cache of `--kv`, where that is given.
  ///
  /// - Throws: `UsageError` for one that cannot have it.
  func caching(_ variant: Variant) throws -> Variant {
    guard let precision = try cache() else { return variant }
    guard let other = variant.caching(in: precision) else {
      throw UsageError(
        Option.kv.names[0], found: precision.rawValue,
        expected:
          "\(variant.cache.rawValue) with \(variant.name): only \(Variant.takingNarrowCache) take both")
    }
    return other
  }

  /// The variants of `--variants` where it is given, else that of `--variant`.
  ///
  /// - Parameter clash: the error where both are given; its argument is the value of `--variant`.
  func oneOrMoreVariants(clash: (String) -> UsageError) throws -> [Variant] {
    guard flag("--variants") else { return [try variant()] }
    if let single = string("--variant") { throw clash(single) }
    return try variants()
  }

  /// - Parameter option: what an error opens with.
  /// - Throws: `UsageError` for no variant; `RunError` for one that needs what this machine lacks.
  static func variant(_ name: String, _ option: String) throws -> Variant {
    if let lookedUp = Variant.lookedUp.first(where: { $0.name == name }) {
      do { return try lookedUp.found.get() } catch { throw RunError("\(option) \(name): \(error)") }
    }
    guard let variant = Variant.named(name) else {
      throw UsageError(option, found: name, oneOf: Variant.names)
    }
    return variant
  }
}

extension Variant {
  /// Those that can have a cache of bfloat16, in words.
  static let takingNarrowCache = all.filter { $0.caching(in: .bf16) != nil }.map(\.name)
    .joined(separator: ", ")

  /// With its name with a cache of bfloat16, if it can, and what its products run on in this build, where it chose.
  var listing: String {
    summary + (caching(in: .bf16).map { "; with --kv bf16: \($0.name)" } ?? "")
      + (instructions.map { " (here on \($0))" } ?? "")
  }
}

enum Defaults { static let variant = Variant.preferred.name }
