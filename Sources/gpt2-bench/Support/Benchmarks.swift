import Files
import Foundation
import GPT2Model
import Record

/// What `all` measures, as data in `Benchmarks/suites/NAME.json`.
struct Suite: Decodable, Equatable {
  struct Decode: Decodable, Equatable {
    let tokens: Int
    let depth: Int
  }

  struct Training: Decodable, Equatable {
    let batch: Int
    let context: Int
  }

  private(set) var name = ""
  let summary: String
  let prefill: [Int]
  let decode: [Decode]
  /// Steps of training; nil for none.
  let train: [Training]?
  let repetitions: Int
  /// Wall time that one contestant may spend on one cell before it stops short of the repetitions.
  let cellBudgetSeconds: Double

  private enum CodingKeys: String, CodingKey {
    case summary, prefill, decode, train, repetitions, cellBudgetSeconds
  }

  /// - Parameter nameOrPath: a suite of the project, or a file of the same form.
  init(_ nameOrPath: String, in project: Project) throws {
    let own = "\(project.suites)/\(nameOrPath).json"
    let isOwn = FileManager.default.fileExists(atPath: own)
    guard isOwn || Output.isFile(nameOrPath) else {
      throw UsageError(
        "--suite", found: nameOrPath, oneOf: Self.all(in: project).map(\.name), or: "a suite's file")
    }
    let path = isOwn ? own : nameOrPath
    let data = try isOwn ? ModelFile.read(path) : ModelFile.readAll(path)
    do {
      self = try JSONDecoder().decode(Suite.self, from: data)
    } catch let error as DecodingError { throw ModelError(error, path: path) }
    name = URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent
    let sizes =
      prefill + decode.flatMap { [$0.tokens, $0.depth] } + (train ?? []).flatMap { [$0.batch, $0.context] }
      + [repetitions]
    guard sizes.allSatisfy({ $0 > 0 }), MeasuringOptions.budgets.contains(cellBudgetSeconds),
      !tests.isEmpty,
      decode.allSatisfy({ $0.tokens > 1 })
    else {
      throw RunError(
        "\(path): found a size that is not positive, a decode of one token, no cell, or a budget out of range; "
          + "expected positive sizes, at least one cell, and cellBudgetSeconds \(MeasuringOptions.budgetRange)"
      )
    }
  }

  /// The project's suites by name, each as it was read, or why it cannot be used.
  static func found(in project: Project) -> [(name: String, suite: Result<Suite, any Error>)] {
    Project.namesOfJSON(in: project.suites).map { name in
      (name: name, suite: Result { try Suite(name, in: project) })
    }
  }

  /// Those that can be used.
  static func all(in project: Project) -> [Suite] { found(in: project).compactMap { try? $0.suite.get() } }
}

/// Records that later runs are compared with, in `Benchmarks/baselines`, each by its name.
struct Baselines {
  private let folder: String

  init(in project: Project) { folder = project.root + "/Benchmarks/baselines" }

  /// A baseline's name: ASCII letters, digits, `.`, `_` and `-`, at most 64 of them, a letter or a digit first, and
  /// no `.json` at its end. So it is one file in the folder on every system, and nobody takes it for a file's name.
  struct Name: Equatable {
    let text: String

    init?(_ text: String) {
      guard text.allSatisfy(\.isOfName), (1...64).contains(text.count), !"._-".contains(text.prefix(1)),
        !text.hasSuffix(".json")
      else { return nil }
      self.text = text
    }
  }

  func path(of name: Name) -> String { "\(folder)/\(name.text).json" }

  /// Sorted; empty where there is no folder.
  var names: [Name] { Project.namesOfJSON(in: folder).compactMap(Name.init) }

  /// The record that `text` means: a file of that path, else the baseline of that name. What can only be a path is
  /// one, whether or not it is there.
  ///
  /// - Throws: `RunError` where there is neither.
  func path(meaning text: String) throws -> String {
    let file = RecordFile.path(meaning: text)
    guard Output.isFolder(file) != false, text != RecordFile.standardInput, let name = Name(text) else {
      return text
    }
    if names.contains(name) { return path(of: name) }
    let known = names.map(\.text)
    throw RunError(
      "--baseline: found '\(text)', expected a record's file"
        + (known.isEmpty
          ? "; there are no baselines" : " or one of the baselines \(known.joined(separator: ", "))")
        + NearestName.advice(for: text, among: known))
  }

  /// Keeps the record under the name, in place of the one that has it; readers never meet half of a file. A run that
  /// is not whole, or where a check failed, is not kept, and `console` is told so.
  ///
  /// - Throws: `RunError` where the file cannot be written.
  func save(_ record: Record, as name: Name, _ console: Console) throws {
    guard record.runExitCode == .done else {
      return console.warn("baseline \(name.text): not saved, because the run is incomplete or a check failed")
    }
    let path = path(of: name)
    try Output.makeFolder(folder, for: path)
    try Output.write(to: path, record.encode)
    console.note("\(Project.shown(path)): written")
  }
}

extension Character {
  /// An ASCII letter or digit, `.`, `_` or `-`.
  var isOfName: Bool { isASCII && (isLetter || isNumber || "._-".contains(self)) }
}

extension Option {
  static let suite = Option(
    "--suite", value: "SUITE", in: .subject, choices: (try? Suite.all(in: Project()).map(\.name)) ?? [],
    help: "the tests of a suite: quick, full or compare, or of a suite's file")
  static let saveBaseline = Option(
    "--save-baseline", value: "NAME", default: "none",
    help: "keep the record as Benchmarks/baselines/NAME.json if every check passed")
}

extension Arguments {
  func baselineToSave() throws -> Baselines.Name? {
    let option = Option.saveBaseline.names[0]
    guard let text = string(option) else { return nil }
    guard let name = Baselines.Name(text) else {
      throw UsageError(
        option, found: text,
        expected:
          "a name of at most 64 letters, digits, '.', '_' and '-', a letter or a digit first, without .json")
    }
    return name
  }
}
